"""librdkafka's connection settings as those of the Java client that Spark uses: one Airflow connection serves both."""

from collections.abc import Mapping
from typing import Any

from batchstream.errors import ConnectionSettingsError
from batchstream.kafka.topics import client_settings

# Settings of the same name and meaning.
_SAME = ("bootstrap.servers", "security.protocol", "client.dns.lookup", "ssl.key.password", "sasl.kerberos.service.name")

_LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}

# How a client proves itself and whom it trusts: such a setting is translated or refused, never left out.
_SECURITY = ("sasl.", "ssl.", "enable.ssl.", "security.")


def java_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Translate what decides where and how to connect; what only tunes librdkafka is left out.

    Args:
        settings: The Airflow connection's, in librdkafka's names.

    Raises:
        ConnectionSettingsError: A security setting that the Java client has in another form; the message says which.
    """
    found = {name: str(value) for name, value in client_settings(settings).items()}
    options = {name: found.pop(name) for name in _SAME if name in found}
    options |= _sasl(found) | _trust(found) | _certificate(found)
    unknown = sorted(name for name in found if name.startswith(_SECURITY))
    if unknown:
        raise _refused(f"{', '.join(unknown)} can't be translated for Spark's Java client; leave it out")
    return options


def _sasl(found: dict[str, str]) -> dict[str, str]:
    mechanism = found.pop("sasl.mechanism", found.pop("sasl.mechanisms", None))
    if mechanism is None:
        return {}
    options = {"sasl.mechanism": mechanism}
    user, password = found.pop("sasl.username", None), found.pop("sasl.password", None)
    if mechanism in _LOGIN_MODULES:
        if not user or not password:
            raise _refused(f"sasl.mechanism {mechanism} needs sasl.username and sasl.password")
        # Spark and Kafka's client redact this option by its name wherever they print it.
        options["sasl.jaas.config"] = (
            f"{_LOGIN_MODULES[mechanism]} required username={_quoted(user)} password={_quoted(password)};"
        )
    elif mechanism != "GSSAPI":
        raise _refused(f"sasl.mechanism {mechanism} is not supported; use one of {', '.join(_LOGIN_MODULES)}, GSSAPI")
    return options


def _trust(found: dict[str, str]) -> dict[str, str]:
    options = {}
    if authority := found.pop("ssl.ca.location", None):
        options = {"ssl.truststore.type": "PEM", "ssl.truststore.location": authority}
    if (check := found.pop("ssl.endpoint.identification.algorithm", None)) is not None:
        # librdkafka says "none" where Java wants nothing.
        options["ssl.endpoint.identification.algorithm"] = "" if check == "none" else check
    return options


def _certificate(found: dict[str, str]) -> dict[str, str]:
    certificate, key = found.pop("ssl.certificate.location", None), found.pop("ssl.key.location", None)
    if certificate is None and key is None:
        return {}
    if certificate != key or certificate is None:
        raise _refused(
            "ssl.certificate.location and ssl.key.location have to name the same PEM file, with the key (PKCS #8) and then the "
            f"certificates, as Java wants both in one; got {certificate} and {key}"
        )
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": certificate}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _refused(what: str) -> ConnectionSettingsError:
    return ConnectionSettingsError(f"connection 'batchstream_kafka': {what}; mend this connection")
