"""OPS2: what differs from one environment to the next comes from outside, and secrets from where only few can read."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.model.written_secret import EnvFile, Held, ManifestSecret
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "OPS202",
    severity=Severity.HIGH,
    cwe=(256, 798),
    references=("https://kubernetes.io/docs/concepts/security/secrets-good-practices/",),
)
def secret_in_plain_manifest(secret: ManifestSecret, service: Service) -> Verdict:
    """A manifest holds a secret in plain text.

    Why: everybody who can read the repository, or the object in the cluster, has it, and it stays in the history when
    it is taken out.
    Fix: refer to a store of secrets (secretKeyRef to an object that isn't in the tree, ExternalSecret, SealedSecret,
    a variable of the host) and replace what was committed.
    """
    if secret.held is Held.OUTSIDE:
        return passed("it comes from elsewhere", secret.place)
    if secret.held is Held.PLACEHOLDER:
        return review("is this replaced before it is used?", secret.place)
    if secret.is_for_show:
        return review("does this let anybody in who shouldn't be?", secret.place)
    return fail(f"{secret.name} stands in plain text in {secret.where}", secret.place)


@rule("OPS203", severity=Severity.HIGH, cwe=(260, 798), references=("https://12factor.net/config",))
def env_file_tracked(file: EnvFile, service: Service) -> Verdict:
    """A file of variables with secrets is a part of the tree.

    Why: everybody who can read the repository has them, and they stay in its history.
    Fix: commit an example without values, ignore the real file (.gitignore), and replace what was committed.
    """
    if file.is_example and not file.secrets:
        return not_applicable("it is an example, to be copied", file.place)
    if file.secrets and file.is_example:
        return review("does any environment use the values of this example?", *file.secrets)
    if file.secrets:
        return fail(f"{file.path} holds secrets; replace them and take the file out", *file.secrets)
    if file.simple:
        return review("are these words used anywhere but on developers' machines?", *file.simple)
    return passed("it holds no secret", file.place)
