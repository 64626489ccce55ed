"""Pictures of the faces in clips that wait to be submitted, over HTTP: a list of fifty clips is short without them."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Response

from heygem.ui.clip_list import ClipList


def serve_clip_faces(app: FastAPI, clips: ClipList) -> None:
    """Add the route to `app`; a picture is found by the ids of its draft and its clip."""

    @app.get("/clip-faces/{draft_id}/{clip_id}/{number}.jpg")
    def face(draft_id: str, clip_id: str, number: int) -> Response:
        jpeg = clips.face(draft_id, clip_id, number)
        if jpeg is None:
            raise HTTPException(404)
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
