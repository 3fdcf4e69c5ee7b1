import builtins
import sys

from maestro_dsl.cli.main import execute


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("maestro_dsl.lsp")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name.partition(".")[0] in {"pygls", "lsprotocol"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    assert execute(["lsp"]) == 8
    assert capsys.readouterr().err == (
        "error: the language server needs pygls, which is not installed\n"
        "hint: pip install 'maestro-dsl[lsp]'\n"
    )
