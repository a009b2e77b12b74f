"""The documents by which clients find their way: OpenID Connect discovery, signing keys, instance discovery. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from emulators.entra.errors import EntraError
from emulators.entra.tokens import SigningKey


def openid_configuration(url: str, tenant_id: str) -> dict[str, object]:
    """The metadata of one tenant (OpenID Connect Discovery 1.0, section 3); its endpoints always name the GUID."""
    tenant = f"{url}/{tenant_id}"
    return {
        "issuer": f"{tenant}/v2.0",
        "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        "jwks_uri": f"{tenant}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "response_types_supported": ["code", "id_token", "code id_token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "oid", "preferred_username", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": urlsplit(url).netloc,
    }


def jwks(key: SigningKey) -> dict[str, object]:
    """The published keys (RFC 7517, section 5)."""
    return {"keys": [key.jwk()]}


def instance(url: str, authorization_endpoint: str) -> dict[str, object]:
    """Which hosts are one cloud, and where a tenant's metadata is. Raises EntraError 50049 for a host of no cloud."""
    endpoint = urlsplit(authorization_endpoint)
    host = urlsplit(url).netloc
    if endpoint.netloc != host:
        raise EntraError(50049)
    tenant = endpoint.path.split("/")[1]
    return {
        "tenant_discovery_endpoint": f"{url}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
