"""Libraries for tests: folders of documents, and git repositories that hold them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.files import write

HEAD = "apiVersion: maestro/v1\nkind: "
PROMPT = "Review {{ contract.name }}\n"
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
_WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


def manifest(name, version="1.0.0", more=""):
    exports = "exports: {personas: [personas/*.persona.yaml]}"
    return f"{HEAD}Library\nid: {name}\nversion: {version}\n{exports}\n{more}"


def requires(**wanted):
    return "requires:\n" + "".join(f'  {name.replace("_", "-")}: "{text}"\n' for name, text in wanted.items())


def library(name, version="1.0.0", *, more="", prompt=PROMPT):
    """Return the files of a library with one persona, `reviewer`."""
    return {
        "library.yaml": manifest(name, version, more),
        "personas/reviewer.persona.yaml": f"{HEAD}Persona\nid: reviewer\nprompt_file: ../reviewer.md.j2\n",
        "reviewer.md.j2": prompt,
    }


def project(folder, **libraries):
    """Write `maestro.yaml` with these libraries."""
    stated = "".join(f"  {name}: {text}\n" for name, text in libraries.items())
    text = f"{HEAD}Project\nid: shop\n" + (f"libraries:\n{stated}" if stated else "")
    return write(folder, {"maestro.yaml": text})


class Repository:
    """A git repository that grows by commits."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", "--template=", ".")

    @property
    def source(self):
        return f"git+file://{self.folder}"

    def git(self, *arguments, given=None):
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**ENVIRON, **_WHO},
            input=given,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, files, *tags):
        """Commit these files on top of what is there, tag it, and return the commit."""
        write(self.folder, files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=x")
        for tag in tags:
            self.git("tag", "--force", tag)
        return self.git("rev-parse", "HEAD")

    def plant(self, entries, *tags):
        """Commit a tree of (mode, path, content or commit) as it is, whatever checking it out would do."""
        lines = []
        for mode, path, content in entries:
            if mode == "160000":
                lines.append(f"{mode} commit {content}\t{path}")
                continue
            name = self.git("hash-object", "-w", "--stdin", given=content.encode())
            lines.append(f"{mode} blob {name}\t{path}")
        tree = self.git("mktree", "--missing", given=("\n".join(lines) + "\n").encode())
        commit = self.git("commit-tree", tree, "-m", "x")
        for tag in tags:
            self.git("tag", "--force", tag, commit)
        return commit
