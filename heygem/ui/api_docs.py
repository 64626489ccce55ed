"""The API's description at /docs, from files of an installed package: nothing is fetched from elsewhere."""

from __future__ import annotations

from importlib.resources import as_file, files

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from heygem import __version__

_ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}


def serve_docs(app: FastAPI, api: APIRouter) -> None:
    """Add /docs and /openapi.json to `app`: they describe `api`, and none of the routes that only the page uses."""

    @app.get("/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        told = get_openapi(title="HeyGem API", version=__version__, routes=api.routes)
        for operation in (operation for path in told["paths"].values() for operation in path.values()):
            operation["responses"].pop("422", None)  # the framework's own form of errors, which ours replaces
        return JSONResponse(told)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="HeyGem API",
            swagger_js_url="/docs/swagger-ui-bundle.js",
            swagger_css_url="/docs/swagger-ui.css",
            swagger_favicon_url="/docs/favicon.png",
            # By default it shows the description to a service on the internet.
            swagger_ui_parameters={"validatorUrl": None, "defaultModelsExpandDepth": -1},
        )

    for name, media_type in _ASSETS.items():
        _serve_asset(app, name, media_type)


def _serve_asset(app: FastAPI, name: str, media_type: str) -> None:
    @app.get(f"/docs/{name}", include_in_schema=False)
    def asset() -> FileResponse:
        with as_file(files("fastapi_offline") / "static" / name) as path:  # installed as files, never as an archive
            return FileResponse(path, media_type=media_type, headers={"cache-control": "private, max-age=86400"})
