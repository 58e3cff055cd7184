"""Every name in every library model does what the model says: each in a snippet, through the whole pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.config import Config, ServiceConfig
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.libraries import load_libraries
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind
from tests.library_snippets import CODES, Said, Written, module_of, snippets

FILES = sorted((Path(__file__).parent.parent / "rules" / "libraries").glob("*.yaml"))
LIBRARIES = dict(
    zip(
        [file.stem for file in FILES],
        load_libraries((file.name, file.read_text(encoding="utf-8")) for file in FILES),
        strict=True,
    )
)
SAID = Said.by(tuple(LIBRARIES.values()))
RULEBOOK = load_rulebook(assay.rules)
RULES = replace(RULEBOOK, rules=tuple(rule for rule in RULEBOOK.rules if rule.code in CODES.values()))
OPTIONS = Options(
    Config(services={"case": ServiceConfig(".")}), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor()
)


def members(owners: str, names: str) -> Iterator[str]:
    """Each of the names below each of the owners."""
    return (f"{owner}.{name}" for owner in owners.split() for name in names.split())


KNOWN_GAPS = frozenset(
    {
        # An attribute that is read of a parameter, or of `self` in a subclass, is looked up in a list of the engine's
        # own, not in the models.
        *members(
            "aiohttp",
            "BodyPartReader",
        ),
        *members(
            "aiohttp.multipart.BodyPartReader",
            "decode filename form headers json name read read_chunk readline text",
        ),
        *members(
            "aiohttp.web.FileField",
            "content_type file filename headers name",
        ),
        *members(
            "aiohttp.web.Request",
            "charset forwarded http_range if_match if_none_match multipart path_qs post raw_headers read text",
        ),
        *members(
            "aiohttp.web.WebSocketResponse",
            "receive receive_bytes receive_json receive_str",
        ),
        *members(
            "aiohttp.web_request",
            "FileField",
        ),
        *members(
            "aiohttp.web_ws",
            "WebSocketResponse",
        ),
        *members(
            "asyncpg.Connection asyncpg.Pool",
            "fetch fetchrow fetchval",
        ),
        *members(
            "bottle",
            "BaseRequest LocalRequest Request",
        ),
        *members(
            "bottle.FileUpload",
            "content_type file filename get_header headers name raw_filename",
        ),
        *members(
            "cgi.FieldStorage",
            "getfirst getlist getvalue",
        ),
        *members(
            "channels.consumer.AsyncConsumer channels.consumer.SyncConsumer "
            "channels.generic.websocket.AsyncJsonWebsocketConsumer "
            "channels.generic.websocket.AsyncWebsocketConsumer "
            "channels.generic.websocket.JsonWebsocketConsumer channels.generic.websocket.WebsocketConsumer",
            "scope",
        ),
        *members(
            "django.contrib.auth.forms.AuthenticationForm django.contrib.auth.forms.UserCreationForm "
            "django.forms.Form django.forms.ModelForm",
            "data files",
        ),
        *members(
            "django.contrib.auth.mixins.AccessMixin django.contrib.auth.mixins.LoginRequiredMixin "
            "django.contrib.auth.mixins.PermissionRequiredMixin "
            "django.contrib.auth.mixins.UserPassesTestMixin django.contrib.auth.views.LoginView "
            "django.contrib.auth.views.LogoutView django.contrib.auth.views.PasswordResetView "
            "django.contrib.messages.views.SuccessMessageMixin django.views.View "
            "django.views.generic.CreateView django.views.generic.DeleteView django.views.generic.DetailView "
            "django.views.generic.FormView django.views.generic.ListView django.views.generic.RedirectView "
            "django.views.generic.TemplateView django.views.generic.UpdateView django.views.generic.View "
            "django.views.generic.base.TemplateView django.views.generic.base.View "
            "django.views.generic.detail.DetailView django.views.generic.edit.CreateView "
            "django.views.generic.edit.DeleteView django.views.generic.edit.FormView "
            "django.views.generic.edit.UpdateView django.views.generic.list.ListView "
            "rest_framework.generics.CreateAPIView rest_framework.generics.DestroyAPIView "
            "rest_framework.generics.GenericAPIView rest_framework.generics.ListAPIView "
            "rest_framework.generics.ListCreateAPIView rest_framework.generics.RetrieveAPIView "
            "rest_framework.generics.RetrieveDestroyAPIView rest_framework.generics.RetrieveUpdateAPIView "
            "rest_framework.generics.RetrieveUpdateDestroyAPIView rest_framework.generics.UpdateAPIView "
            "rest_framework.mixins.CreateModelMixin rest_framework.mixins.DestroyModelMixin "
            "rest_framework.mixins.ListModelMixin rest_framework.mixins.RetrieveModelMixin "
            "rest_framework.mixins.UpdateModelMixin rest_framework.views.APIView "
            "rest_framework.viewsets.GenericViewSet rest_framework.viewsets.ModelViewSet "
            "rest_framework.viewsets.ReadOnlyModelViewSet rest_framework.viewsets.ViewSet",
            "args kwargs",
        ),
        *members(
            "django.core.files.uploadedfile",
            "InMemoryUploadedFile SimpleUploadedFile TemporaryUploadedFile",
        ),
        *members(
            "django.core.files.uploadedfile.UploadedFile",
            "charset chunks content_type content_type_extra file name open read",
        ),
        *members(
            "django.db.models.Model",
            "objects",
        ),
        *members(
            "django.db.models.QuerySet",
            "afirst aget alast earliest first get last latest values values_list",
        ),
        *members(
            "django.http.HttpRequest",
            "build_absolute_uri content_params encoding get_full_path get_full_path_info get_host read "
            "readline readlines",
        ),
        *members(
            "falcon.Request",
            "accept auth bounded_stream env expect forwarded forwarded_host forwarded_prefix "
            "get_cookie_values get_header get_media get_param get_param_as_dict get_param_as_json "
            "get_param_as_list get_param_as_media get_query_string_as_media headers_lower netloc prefix "
            "referer relative_uri subdomain",
        ),
        *members(
            "falcon.asgi.WebSocket",
            "receive_data receive_media receive_text",
        ),
        *members(
            "falcon.asgi.multipart",
            "BodyPart",
        ),
        *members(
            "falcon.media.multipart.BodyPart",
            "content_type data filename get_data get_media get_text media name stream text",
        ),
        *members(
            "fastapi fastapi.datastructures litestar.datastructures.upload_file",
            "UploadFile",
        ),
        *members(
            "fastapi.security.HTTPAuthorizationCredentials",
            "credentials scheme",
        ),
        *members(
            "fastapi.security.HTTPBasicCredentials",
            "password username",
        ),
        *members(
            "fastapi.security.OAuth2PasswordRequestForm fastapi.security.OAuth2PasswordRequestFormStrict",
            "client_id client_secret password scopes username",
        ),
        *members(
            "fastapi.security.http",
            "HTTPAuthorizationCredentials HTTPBasicCredentials",
        ),
        *members(
            "fastapi.security.oauth2",
            "OAuth2PasswordRequestForm OAuth2PasswordRequestFormStrict",
        ),
        *members(
            "flask.Request werkzeug.wrappers.Request",
            "accept_languages accept_mimetypes get_data get_json mimetype origin pragma range root_url",
        ),
        *members(
            "flask_caching.Cache",
            "get get_dict get_many get_or_set",
        ),
        *members(
            "flask_restful.reqparse.RequestParser",
            "parse_args",
        ),
        *members(
            "flask_restx.Api",
            "payload",
        ),
        *members(
            "flask_restx.reqparse",
            "RequestParser",
        ),
        *members(
            "flask_wtf.FlaskForm flask_wtf.form.FlaskForm wtforms.Form wtforms.form.Form",
            "data",
        ),
        *members(
            "flask_wtf.file.FileField flask_wtf.file.MultipleFileField wtforms.EmailField wtforms.FieldList "
            "wtforms.FileField wtforms.HiddenField wtforms.MultipleFileField wtforms.PasswordField "
            "wtforms.SearchField wtforms.StringField wtforms.TelField wtforms.TextAreaField wtforms.URLField",
            "data raw_data",
        ),
        *members(
            "http.server",
            "CGIHTTPRequestHandler SimpleHTTPRequestHandler",
        ),
        *members(
            "http.server.BaseHTTPRequestHandler",
            "headers path raw_requestline requestline rfile",
        ),
        *members(
            "litestar.Request",
            "msgpack",
        ),
        *members(
            "litestar.WebSocket",
            "iter_data iter_json iter_msgpack receive_bytes receive_data receive_json receive_msgpack receive_text",
        ),
        *members(
            "litestar.connection.ASGIConnection",
            "base_url cookies headers path_params query_params scope url",
        ),
        *members(
            "litestar.datastructures.UploadFile starlette.datastructures.UploadFile",
            "content_type file filename headers read",
        ),
        *members(
            "ninja ninja.files",
            "UploadedFile",
        ),
        *members(
            "pyramid.request.Request",
            "GET POST application_url authorization body body_file content_type cookies domain environ "
            "headers host host_url json json_body matchdict params path path_info path_qs path_url "
            "query_string referer referrer subpath text traversed url user_agent",
        ),
        *members(
            "redis",
            "StrictRedis",
        ),
        *members(
            "redis.Redis",
            "get getdel hget hgetall lindex lpop lrange mget rpop smembers",
        ),
        *members(
            "redis.asyncio redis.asyncio.client redis.client",
            "Redis",
        ),
        *members(
            "redis.cluster",
            "RedisCluster",
        ),
        *members(
            "rest_framework.request.Request",
            "DATA QUERY_PARAMS build_absolute_uri content_params encoding get_full_path get_full_path_info "
            "get_host read readline readlines",
        ),
        *members(
            "rest_framework.serializers",
            "HyperlinkedModelSerializer",
        ),
        *members(
            "sanic.Request",
            "accept credentials forwarded get_args get_cookies get_form get_query_args id load_json "
            "raw_headers raw_url receive_body server_name token",
        ),
        *members(
            "sanic.Websocket",
            "recv recv_streaming",
        ),
        *members(
            "sanic.request",
            "File",
        ),
        *members(
            "sanic.request.form.File",
            "body name type",
        ),
        *members(
            "sqlalchemy.orm.Session",
            "get get_one scalar scalars",
        ),
        *members(
            "starlette.requests.Request",
            "receive",
        ),
        *members(
            "starlette.websockets.WebSocket",
            "iter_bytes iter_json iter_text receive receive_bytes receive_json receive_text",
        ),
        *members(
            "tornado.httputil.HTTPFile",
            "body content_type filename",
        ),
        *members(
            "tornado.httputil.HTTPServerRequest",
            "full_url host_name",
        ),
        *members(
            "tornado.web.RequestHandler tornado.websocket.WebSocketHandler",
            "cookies get_argument get_arguments get_body_argument get_body_arguments get_cookie "
            "get_query_argument get_query_arguments path_args path_kwargs",
        ),
        *members(
            "webargs.flaskparser.FlaskParser",
            "parse",
        ),
        *members(
            "webob",
            "Request",
        ),
        *members(
            "webob.request",
            "BaseRequest Request",
        ),
        *members(
            "werkzeug werkzeug.datastructures.file_storage",
            "FileStorage",
        ),
        *members(
            "werkzeug.datastructures.FileStorage",
            "content_type filename headers mimetype mimetype_params name read stream",
        ),
        *members(
            "wtforms.fields",
            "EmailField FieldList FileField HiddenField MultipleFileField PasswordField SearchField "
            "StringField TelField TextAreaField URLField",
        ),
        *members(
            "wtforms.fields.html5",
            "EmailField SearchField TelField URLField",
        ),
        # Whether a client can send an object is told by the attribute's last name, not by the models.
        *members(
            "django.http.HttpRequest litestar.Request rest_framework.request.Request sanic.Request "
            "starlette.requests.Request tornado.httputil.HTTPServerRequest",
            "body",
        ),
        *members(
            "flask.Request",
            "body data",
        ),
        *members(
            "rest_framework.serializers.BaseSerializer rest_framework.serializers.ListSerializer "
            "rest_framework.serializers.ModelSerializer rest_framework.serializers.Serializer",
            "validated_data",
        ),
        *members(
            "werkzeug.wrappers.Request",
            "data",
        ),
        # What is set on a parameter is looked for by the parameter's name, not by its type's.
        *members(
            "aiohttp.web",
            "Request",
        ),
        *members(
            "aiohttp_session",
            "Session",
        ),
        *members(
            "bottle",
            "BaseResponse LocalResponse Response",
        ),
        *members(
            "django.http",
            "HttpResponse",
        ),
        *members(
            "django.http.HttpResponse",
            "Content-Disposition Location",
        ),
        # Calls are looked for by the last names of sinks, not by those of their other names.
        *members(
            "django.http.response",
            "HttpResponseBase",
        ),
        *members(
            "django.utils.safestring",
            "SafeText",
        ),
        # What reading an attribute of a parameter gives isn't looked up.
        *members(
            "anyio.Path pathlib.Path",
            "parent",
        ),
        # `add` of something that has another name is taken for a container's.
        *members(
            "apprise.apprise",
            "Apprise",
        ),
        # A keyword isn't handed on.
        *members(
            "base64",
            "b64decode standard_b64decode urlsafe_b64decode",
        ),
        # A method of something unknown that makes harmless for some sinks drops its arguments for all.
        *members(
            "*",
            "quote_ident quote_identifier quote_name",
        ),
        # It isn't known as a parser that is told what to resolve.
        *members(
            "lxml.etree.XMLPullParser",
            "feed",
        ),
        # Where a value comes from is told by SQL's own analysis, which sees no guards.
        *members(
            "validators",
            "ipv4 ipv6 slug",
        ),
        *members(
            "validators.ip_address",
            "ipv4 ipv6",
        ),
    }
)
"""Names that don't do all that their model says, by why. One that is mended has to leave."""


def gaps(written: Written, root: Path) -> dict[str, list[str]]:
    """The names that don't do what their model says: for each, the snippets that show it and what is said of them."""
    root.mkdir()
    (root / "app.py").write_text(written.text, encoding="utf-8")
    result = scan(root, RULES, {}, OPTIONS)
    assert [str(d) for d in result.diagnostics if d.reason.is_internal_error or d.reason.is_unread_file] == []
    found: dict[tuple[int, str], set[Kind | None]] = {}
    for verdict in result.verdicts:
        found.setdefault((verdict.location.line, verdict.rule), set()).add(verdict.kind)
    wrong: dict[str, list[str]] = {}
    for place, (snippet, outcomes) in written.expected.items():
        said = found.get(place, {None})
        if not said <= outcomes:
            words = ", ".join(sorted(kind or "nothing" for kind in said))
            wrong.setdefault(snippet.about, []).append(f"{snippet.title}: {words}")
    return wrong


@pytest.mark.parametrize("file", LIBRARIES)
def test_every_name_does_what_its_model_says(file: str, tmp_path: Path) -> None:
    library = LIBRARIES[file]
    written = module_of(snippets(library, SAID), library.packages)
    found = gaps(written, tmp_path / "case")
    known = KNOWN_GAPS & {snippet.about for snippet, _ in written.expected.values()}
    assert ({name: how for name, how in found.items() if name not in known}, known - set(found)) == ({}, frozenset())


def test_every_known_gap_is_a_name_of_some_model() -> None:
    names = {snippet.about for library in LIBRARIES.values() for snippet in snippets(library, SAID)}
    assert sorted(KNOWN_GAPS - names) == []
