"""How each Kafka client library wants to be told what the security settings say."""

import ssl
from typing import TYPE_CHECKING, Any

from streams.settings import PREFIX, BadSetting, Settings

if TYPE_CHECKING:
    from faust import Credentials


def connection(settings: Settings) -> dict[str, Any]:
    """Return the connection arguments that kafka-python's and aiokafka's clients share.

    Raises:
        BadSetting: a certificate file cannot be read.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.servers,
        "security_protocol": settings.security_protocol,
    }
    if (context := ssl_context(settings)) is not None:
        arguments["ssl_context"] = context
    if settings.sasl_password is not None:
        arguments["sasl_mechanism"] = settings.sasl_mechanism
        arguments["sasl_plain_username"] = settings.sasl_username
        arguments["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return arguments


def faust_credentials(settings: Settings) -> "Credentials | None":
    """Return Faust's `broker_credentials`; None where Kafka asks for nothing.

    Raises:
        BadSetting: a certificate file cannot be read.
    """
    from faust import SASLCredentials, SSLCredentials

    context = ssl_context(settings)
    if settings.sasl_password is not None:
        return SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password.get_secret_value(),
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the TLS context that the settings describe; None for a plain connection.

    Raises:
        BadSetting: a certificate file cannot be read.
    """
    if "SSL" not in settings.security_protocol.split("_"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile is not None:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
    except (OSError, ssl.SSLError) as error:
        raise BadSetting(
            f"the files of {PREFIX}SSL_CAFILE = {settings.ssl_cafile}, "
            f"{PREFIX}SSL_CERTFILE = {settings.ssl_certfile} and "
            f"{PREFIX}SSL_KEYFILE = {settings.ssl_keyfile} cannot be used: {error}"
        ) from error
    context.check_hostname = settings.ssl_check_hostname
    return context
