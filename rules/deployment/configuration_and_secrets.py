"""OPS2: what differs from one environment to the next comes from outside, and secrets from where only few can read."""

from __future__ import annotations

from assay.scanner.model.run_mode import RunMode
from assay.scanner.model.secret_setting import Direction, Fallback, SecretSetting
from assay.scanner.model.service import Service
from assay.scanner.model.written_secret import EnvFile, Held, ManifestSecret
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "OPS201",
    severity=Severity.HIGH,
    cwe=(798, 1188),
    references=("https://12factor.net/config", "https://docs.docker.com/reference/compose-file/interpolation/"),
)
def secret_falls_back_to_default(secret: SecretSetting, service: Service) -> Verdict:
    """A password, key or token has a default in the tree, for where nobody sets one.

    Why: production runs with it unnoticed when a variable is missing or misspelled, and everybody who can read the
    tree knows it.
    Fix: read it without a default (`os.environ["NAME"]`, a field without a value, `${NAME:?}`), so that the service
    doesn't start without one.
    """
    proof, lets_in = secret.evidence, secret.direction is Direction.IN
    if secret.aside is not None:
        return not_applicable(secret.aside, *proof)
    match secret.fallback:
        case Fallback.WORD | Fallback.PLACEHOLDER if secret.doubt is not None:
            return not_applicable("a default for a machine of one's own", *proof)
        case Fallback.PLACEHOLDER if not lets_in:
            return not_applicable("it is to be filled in: nobody is let in with it", *proof)
        case Fallback.WORD if not lets_in:
            return review("does anything that production asks take this default?", *proof)
        case Fallback.SECRET | Fallback.WORD | Fallback.PLACEHOLDER:
            return fail(f"where {secret.name} isn't set, a text of the tree counts; have no default", *proof)
        case Fallback.PERHAPS_REFUSED:
            return review(f"does the service start with the text that the tree has for {secret.name}?", *proof)
        case Fallback.EMPTY if lets_in and secret.is_password:
            return review(f"does an empty {secret.name} let anybody in?", *proof)
        case Fallback.EMPTY:
            return passed("nothing is sent where it isn't set", *proof)
        case Fallback.REFUSED:
            return passed("the service refuses to start with the text of the tree", *proof)
        case Fallback.MADE_UP:
            return passed("nobody can guess what counts where it isn't set", *proof)
    return passed("nothing stands in for it", *proof)


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


@rule(
    "OPS205",
    severity=Severity.HIGH,
    cwe=(489,),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver",
        "https://flask.palletsprojects.com/en/stable/deploying/",
        "https://www.uvicorn.org/deployment/",
    ),
)
def debug_mode_reachable_in_production(mode: RunMode, service: Service) -> Verdict:
    """Production starts the service as developers do: reloading, debugging, or with a development server.

    Why: a reloader watches files and starts a second process, a development server has neither workers nor limits,
    and with debugging on errors show code and settings to whoever causes one.
    Fix: start with a server for production (gunicorn, uvicorn without --reload), and keep what developers want in an
    override that only they use.
    """
    if mode.for_development is None:
        return passed("it is as production needs it", *mode.evidence)
    if mode.instead is not None:
        return not_applicable("production starts in another way", *mode.evidence, mode.instead)
    if mode.is_unclear and (mode.doubt is not None or not mode.is_start):
        return not_applicable("it is for developers", *mode.evidence)
    if mode.is_unclear:
        return review(f"does production start this way? {mode.for_development}", *mode.evidence)
    return fail(f"{mode.for_development}; let production have none of it", *mode.evidence)
