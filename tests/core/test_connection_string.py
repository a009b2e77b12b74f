"""A connection string of a storage account is known for one before anything is contacted, and never repeated."""

from __future__ import annotations

import pytest
from azure.storage.blob import ContainerClient
from hypothesis import event, given
from hypothesis import strategies as st

from rotation.connection_string import connection_string_fault

KEY = "Y29udG9zbyBhY2NvdW50IGtleQ=="
WHOLE = f"DefaultEndpointsProtocol=https;AccountName=contosorotation;AccountKey={KEY};EndpointSuffix=core.windows.net"

ANYTHING = st.text(max_size=12)
PARTS = st.fixed_dictionaries(
    {"AccountName": st.just("contosorotation") | ANYTHING, "AccountKey": st.just(KEY) | ANYTHING},
    optional={
        "DefaultEndpointsProtocol": st.sampled_from(["https", "http"]) | ANYTHING,
        "EndpointSuffix": st.just("core.windows.net") | ANYTHING,
        "BlobEndpoint": st.just("https://contoso.net/") | ANYTHING,
        "SharedAccessSignature": st.just("sv=2021-12-02&sig=a%2Fb") | ANYTHING,
    },
)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"{WHOLE};",
        f"accountname=contosorotation;accountkey={KEY}",
        f"AccountName=devstoreaccount1;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;",
        "BlobEndpoint=https://contosorotation.blob.core.windows.net/;SharedAccessSignature=sv=2021-12-02&ss=b&sig=a%2Bb%3D",
        "UseDevelopmentStorage=true",
        f"{WHOLE};QueueEndpoint=https://contosorotation.queue.core.windows.net",
    ],
)
def test_what_the_portal_gives_is_taken(text: str) -> None:
    assert connection_string_fault(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("contosorotation", "not of the form"),
        ("https://contosorotation.blob.core.windows.net", "not of the form"),
        (f"{WHOLE};;{WHOLE}", "not of the form"),
        (f"=x;{WHOLE}", "not of the form"),
        (f"{WHOLE}\n", "not of the form"),
        ("UseDevelopmentStorage=yes", "has no AccountName with AccountKey"),
        (f"AccountKey={KEY}", "has no AccountName with AccountKey"),
        ("AccountName=contosorotation", "has no AccountName with AccountKey"),
        ("AccountName=contosorotation;AccountKey=", "has an empty AccountKey"),
        (f"AccountName=contosorotation;AccountKey={KEY[:-3]}", "has an AccountKey that is cut or wrapped"),
        (f"AccountName=contosorotation;AccountKey={KEY[:8]} {KEY[8:]}", "has an AccountKey that is cut or wrapped"),
        (f"AccountName=Contoso Rotation;AccountKey={KEY}", "has an AccountName that none can be"),
        ("SharedAccessSignature=sv=2021-12-02", "has an AccountName that none can be"),
        (WHOLE.replace("=https", "=ftp"), "has a DefaultEndpointsProtocol that is neither"),
        (WHOLE.replace("core.windows.net", "core/windows"), "has an EndpointSuffix that is none"),
        (f"{WHOLE};BlobEndpoint=contosorotation", "has a BlobEndpoint that is not of the form https://<host>"),
        (
            f"{WHOLE};BlobEndpoint=https://contoso.net?sig=x",
            "has a BlobEndpoint that is not of the form https://<host>",
        ),
    ],
)
def test_what_cannot_be_one_is_told_without_its_text(text: str, fault: str) -> None:
    told = connection_string_fault(text)
    assert told is not None
    assert told.startswith(fault) or fault in told
    assert KEY[:8] not in told


@given(PARTS)
def test_whatever_is_taken_the_storage_sdk_takes_too(parts: dict[str, str]) -> None:
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    taken = connection_string_fault(text) is None
    event(f"taken: {taken}")
    if taken:
        ContainerClient.from_connection_string(text, "leases").close()
