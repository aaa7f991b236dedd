-- For wrk: one request for each cookie in the file, sent in turn.
local requests, turn = {}, 0

function init(arguments)
  for cookie in io.lines(arguments[1]) do
    wrk.headers["Cookie"] = cookie
    requests[#requests + 1] = wrk.format("GET")
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
