"""A pinboard: notes in memory, one page, one JSON route, a static folder."""

from flask import Flask, jsonify, redirect, render_template, request, url_for

MAX_NOTES = 50
MAX_LENGTH = 280


def create_app():
    app = Flask(__name__)
    # Each worker process has notes of its own: run this with --workers 1.
    notes = []

    @app.get("/")
    def board():
        return render_template("board.html", notes=reversed(notes), max_length=MAX_LENGTH)

    @app.post("/")
    def pin():
        text = request.form.get("text", "").strip()
        if not 0 < len(text) <= MAX_LENGTH:
            return f"A note has 1 to {MAX_LENGTH} characters.", 400
        notes.append(text)
        del notes[:-MAX_NOTES]
        return redirect(url_for("board"), code=303)

    @app.get("/notes.json")
    def as_json():
        return jsonify(notes=notes)

    return app


app = create_app()
