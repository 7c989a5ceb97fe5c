"""A Flask route that answers with JSON."""

from flask import Flask, jsonify

application = Flask(__name__)


@application.get("/")
def latest():
    return jsonify(
        title="Latest notes",
        count=2,
        notes=[
            {"id": 2, "text": "Water the plants", "done": False},
            {"id": 1, "text": "Buy a lamp", "done": True},
        ],
    )
