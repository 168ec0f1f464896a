"""
Which members, parameters and headers hold secrets or personal data, told by their names.
"""

import re
from collections.abc import Mapping

# Names as `plain` writes them -> kind of placeholder.
_KINDS: Mapping[str, str] = {
    # secrets
    **dict.fromkeys(
        ("accesstoken", "assertion", "idtoken", "jwt", "refreshtoken", "securityreference",
         "token"),
        "token",
    ),
    **dict.fromkeys(
        (
            "apikey", "bisnodepassword", "bisnodeusername", "clientassertion", "clientsecret",
            "clientsecrets", "officialpassword", "officialusername", "password", "secret",
            "secrets", "sharedsecret", "username",
        ),
        "secret",
    ),
    "clientid": "client-id",
    "oauthclientid": "client-id",
    # people
    **dict.fromkeys(("firstname", "firstnames", "givenname", "givennames"), "first-name"),
    **dict.fromkeys(("middlename", "middlenames"), "middle-name"),
    **dict.fromkeys(("lastname", "surname", "familyname"), "last-name"),
    **dict.fromkeys(
        ("fullname", "nameofsigner", "commonname", "subjectname", "displayname"), "full-name"
    ),
    **dict.fromkeys(
        ("email", "emailaddress", "emailoverride", "companyemail", "fromaddress"), "e-mail"
    ),
    **dict.fromkeys(
        ("mobile", "mobilenumber", "mobileoverride", "phone", "phonenumber", "companyphone",
         "telephone"),
        "phone",
    ),
    **dict.fromkeys(
        ("socialsecuritynumber", "ssn", "nin", "nationalid", "nationalidentifier", "nationalnumber",
         "identitynumber", "idnumber", "personalnumber", "signaturemethoduniqueid"),
        "national-id",
    ),
    **dict.fromkeys(("dateofbirth", "datesofbirth", "birthdate"), "birth-date"),
    "yearofbirth": "birth-year",
    "monthofbirth": "birth-month",
    **dict.fromkeys(
        ("address", "address1", "address2", "addresslines", "street", "streetaddress", "postalcode",
         "zipcode"),
        "address",
    ),
    **dict.fromkeys(("clientip", "ipaddress", "ipwhitelist"), "ip"),
    **dict.fromkeys(("bankaccountnumber", "iban"), "bank-account"),
    # accounts, and what names people inside
    "accountid": "account",
    **dict.fromkeys(
        ("certificate", "signcertificatebase64string", "signingcertficate", "signingcertificate",
         "x509certificate", "rawdata", "xmlsignature", "signeddata"),
        "certificate",
    ),
}  # fmt: skip

# Within a value of such a kind, members that hold the thing itself.
INNER = frozenset({"value", "number"})

# A `name` is a person's when it lies beside one of these.
_BESIDE_A_NAME = frozenset(
    {"email", "e-mail", "phone", "national-id", "birth-date", "first-name", "last-name"}
)

# Headers that go: no use for a replay, and each may hold a secret.
DROPPED_HEADERS = frozenset({"cookie", "proxy-authorization", "set-cookie", "x-api-key"})
ACCOUNT_HEADERS = frozenset({"x-idfy-accountid"})


def kind_of(name: str) -> str | None:
    """
    What a member or parameter of that name holds; None: nothing that must not be seen.
    """
    return _KINDS.get(plain(name))


def is_of_a_person(members: Mapping[str, object]) -> bool:
    """
    Whether these are the members of a person, whose `name` is therefore personal.
    """
    return any(kind_of(name) in _BESIDE_A_NAME for name in members)


def plain(name: str) -> str:
    """
    *name* without what differs from place to place: capitals, dashes and underscores.
    """
    return re.sub(r"[-_]", "", name).lower()
