// The manager page works without this; with it, it is live and uploads show how
// far they are.
"use strict";

const stream = document.body.dataset.stream;
const waiting = new Map(); // parts that somebody is using: replaced when he is done
const scratch = document.createElement("template");
let source = null;
let seen = ""; // the number of the last record that is here

// replace puts a part into the page, unless it is in use: focus, an open question
// and a selection are the operator's.
function replace(id, html) {
	const part = document.getElementById(id);
	if (!part) return;
	const active = document.activeElement;
	const selection = getSelection();
	if ((active !== document.body && part.contains(active)) || part.querySelector("details[open]") ||
		(!selection.isCollapsed && part.contains(selection.anchorNode))) {
		waiting.set(id, html);
		return;
	}
	waiting.delete(id);
	scratch.innerHTML = html; // as the browser would write it
	if (scratch.innerHTML !== part.innerHTML) part.innerHTML = html;
}

// append adds records to the log and stays at its end if asked to.
function append(html) {
	const log = document.getElementById("log");
	if (!log) return;
	log.insertAdjacentHTML("beforeend", html);
	while (log.children.length > 500) log.firstElementChild.remove();
	const follow = document.getElementById("follow");
	if (!follow || follow.checked) log.scrollTop = log.scrollHeight;
}

function live(on) {
	const sign = document.getElementById("live");
	sign.hidden = false;
	sign.textContent = on ? "live" : "not live";
	sign.classList.toggle("off", !on);
}

function connect() {
	if (!stream || source) return;
	source = new EventSource(seen ? stream.replace(/after=\d+/, "after=" + seen) : stream);
	source.onopen = () => live(true);
	source.onerror = () => {
		live(false);
		if (source && source.readyState === EventSource.CLOSED) {
			disconnect();
			setTimeout(connect, 10000);
		}
	};
	source.addEventListener("parts", (e) => {
		seen = e.lastEventId;
		for (const [id, html] of [...waiting, ...Object.entries(JSON.parse(e.data))]) replace(id, html);
	});
	source.addEventListener("log", (e) => {
		seen = e.lastEventId;
		append(JSON.parse(e.data));
	});
	source.addEventListener("say", (e) => { document.getElementById("say").textContent = JSON.parse(e.data); });
	source.addEventListener("end", (e) => {
		disconnect();
		if (e.data === "gone") location.assign("/");
		else location.reload();
	});
}

function disconnect() {
	if (source) source.close();
	source = null;
}

// upload sends the form by itself to show how far it is. What the server answers
// is the page that it would have been without.
function upload(form) {
	const bar = document.getElementById("progress");
	const text = document.getElementById("progress-text");
	const button = form.querySelector("button");
	const file = form.elements.archive.files[0];
	if (file && file.size > Number(form.dataset.limit)) {
		text.textContent = "The archive is too large: " + Math.ceil(file.size / 1048576) + " MB.";
		return;
	}
	const request = new XMLHttpRequest();
	request.upload.onprogress = (e) => {
		if (!e.lengthComputable) return;
		const percent = Math.floor(100 * e.loaded / e.total);
		bar.value = percent;
		text.textContent = percent < 100 ? "uploading, " + percent + " %" : "starting the new version …";
	};
	request.upload.onload = () => {
		bar.removeAttribute("value");
		text.textContent = "starting the new version …";
	};
	request.onload = () => {
		if (request.status < 300) {
			location.assign(request.responseURL);
			return;
		}
		const page = new DOMParser().parseFromString(request.responseText, "text/html");
		document.querySelectorAll("main > .note").forEach((note) => note.remove());
		const note = page.querySelector("main > .note");
		if (note) {
			document.getElementById("main").prepend(note);
			note.tabIndex = -1;
			note.focus();
			note.scrollIntoView({ block: "start" });
		}
		done("");
	};
	request.onerror = () => done("The upload broke off. Is the server still there?");
	function done(said) {
		bar.hidden = true;
		button.disabled = false;
		text.textContent = said;
	}
	bar.hidden = false;
	bar.value = 0;
	button.disabled = true;
	request.open("POST", form.action);
	request.send(new FormData(form));
}

document.addEventListener("submit", (e) => {
	const form = e.target;
	if (form.classList.contains("deploy")) {
		e.preventDefault();
		upload(form);
		return;
	}
	for (const button of form.querySelectorAll("button")) button.disabled = true;
	const said = document.getElementById("say");
	if (said) said.textContent = "Working …";
});

// Pages that nobody sees take nothing from the server.
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (e) => {
	if (e.persisted) {
		document.querySelectorAll("button:disabled").forEach((b) => { b.disabled = false; });
		connect();
	}
});
document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());

for (const label of document.querySelectorAll(".follow")) label.hidden = false;
for (const log of document.querySelectorAll(".log")) log.scrollTop = log.scrollHeight;
if (!document.hidden) connect();
