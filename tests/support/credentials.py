"""Texts that are keys and tokens, as people type them and programs make them, and texts that are none."""

TYPED = [
    *("abc123", "test", "secret", "special-key", "123", "12345", "my key", "key1", "demo", "dev-token"),
    *(
        "<API_KEY>",
        "{{token}}",
        "$TOKEN",
        "changeme",
        "hunter2",
        "alice",
        "bob",
        "admin",
        "s3cr3t",
        "p@ssw0rd",
    ),
    *("MY_SECRET", "testToken", "Test", "local-dev", "maestro", "my-company-2", "Bearer xyz", "Token abc"),
    *("correct-Horse-7", "some-random-string", "user@example.com", "secret123!", "valid-token", "tok_visa"),
]
MADE = [
    "550e8400-e29b-41d4-a716-446655440000",
    "00000000-0000-0000-0000-000000000000",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "sk-proj-T3BlbkFJabcdEFGH",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "AKIAIOSFODNN7EXAMPLE",
    "0123456789abcdef",
    "7d793037a0760186574b0282f2f435e7",
    "01HGW2N7EHJVJ4CJ999RRS2E97",
    "dGhpcyBpcyBhIGxvbmdlciB0b2tlbg==",
    "1|laravelsanctumtokenvalue0123456789",
]
GARBLED = [
    *("x", "J", "3S", "06N", ",s|", "^-JR", "\\gKZ\\", "k(X%RyU", "T3Nbyg7y]5O", "mF7!o%,/Far](9Tj?-xt"),
    *("__main__", "Infinity", "Scunthorpe", "1e100", "COM1", "mdxtf", "Obqy", "a\tb", "ключ", "💥", "ÿ" * 30),
    *("9" * 30, "." * 30, "a  b"),
]
