"""Keep a device signed in whose owner ticked a box: a line of cookies, each good once, whose theft is found."""

from datetime import timedelta

from powauth.context import on
from powauth.events import CredentialChanged, Erased, SessionEnded, SessionStolen, SignedIn, SigningOut
from powauth.extension import EVERY_WAY_IN, Extension, Fields, Manifest
from powauth.extensions.remember_me import hooks
from powauth.extensions.remember_me.events import DeviceForgotten, DeviceRemembered, DeviceStolen
from powauth.extensions.remember_me.forms import RememberForm
from powauth.extensions.remember_me.handlers import END
from powauth.extensions.remember_me.mails import STOLEN
from powauth.extensions.remember_me.operations import COOKIE, come_back
from powauth.extensions.session_list import DevicesListed, OthersEnded
from powauth.extensions.sign_in import SignIn
from powauth.sessions import GRACE

__all__ = [
    "END",
    "STOLEN",
    "DeviceForgotten",
    "DeviceRemembered",
    "DeviceStolen",
    "RememberForm",
    "RememberMe",
]


class RememberMe(Extension):
    """Keep a device signed in whose owner ticked the box."""

    lifetime: timedelta = timedelta(days=30)
    """How long after the last real proof a device is forgotten, however often it is used (SP 800-63B-4 §2.1.3)."""

    name = "remember_me"
    requires = (SignIn,)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(END,),
            cookies=(COOKIE,),
            returns=(come_back,),
            fields=(Fields(on=EVERY_WAY_IN, form=RememberForm),),
            hooks=(
                on(SignedIn, hooks.signed_in(self.lifetime)),
                on(SigningOut, hooks.signing_out),
                on(SessionEnded, hooks.session_ended),
                on(SessionStolen, hooks.session_ended),
                on(CredentialChanged, hooks.account_changed),
                on(Erased, hooks.account_changed),
                on(OthersEnded, hooks.others_ended),
                on(DevicesListed, hooks.devices_listed),
            ),
            mails=(STOLEN,),
            messages={
                "field.remember": "Keep me signed in on this device",
                "help.remember": "Only on a device that nobody else uses.",
                "end.submit": "Forget",
                "made": "Remembered",
                "did.device_remembered": "A device was remembered",
                "did.device_forgotten": "A device was forgotten",
                "did.device_stolen": "A remembered device was forgotten because it was used in two places",
                "forgotten": "That device is forgotten and signed out.",
                "stolen.subject": "A remembered device was signed out at {application}",
                "stolen.body": "Hello {name},\n\nyou asked to stay signed in on a device: {remembered}. What it keeps "
                "for that was used from two places, so somebody may have copied it. The device was forgotten and "
                "signed out.\n\nWhen: {time}\nDevice: {device}\nNetwork address: {client}\n\n"
                "Please sign in again and change your password.",
            },
        )

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with its settings, a sentence each."""
        return () if self.lifetime > GRACE else (f"lifetime must be longer than {GRACE.seconds} seconds",)
