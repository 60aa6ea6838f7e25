/* Shows alerts as notifications, and takes an answer from their buttons. Registered by push.js; the text of a message is written by
 * adapters/channel/webpush and readable by this browser alone. */
"use strict";

/* A push that shows nothing costs the subscription with some vendors: whatever comes, something is shown. */
function readMessage(event) {
	try {
		return event.data.json();
	} catch (error) {
		return { title: self.location.hostname, body: "", open: "/" };
	}
}

/* Only paths of ours are opened or posted to. */
function ownPath(path) {
	return typeof path === "string" && path[0] === "/" && path[1] !== "/" && path.indexOf("\\") < 0 ? path : null;
}

function randomKey() {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), function (byte) {
		return byte.toString(16).padStart(2, "0");
	}).join("");
}

function show(message) {
	var answer = ownPath(message.answer), words = message.words || {};
	var options = {
		body: message.body || "",
		lang: message.lang || "",
		dir: message.dir || "auto",
		silent: !!message.silent,
		requireInteraction: !!answer,
		data: { title: message.title, lang: message.lang, dir: message.dir, tag: message.tag, open: ownPath(message.open) || "/", answer: answer, words: words,
			key: randomKey() }
	};
	if (message.tag) {
		options.tag = message.tag;
		options.renotify = true;
	}
	if (answer && words.safe && words.help) {
		options.actions = [{ action: "safe", title: words.safe }, { action: "help", title: words.help }];
	}
	return self.registration.showNotification(message.title || self.location.hostname, options);
}

/* Says in the notification's place what became of the answer. */
function tell(data, text, stays) {
	var options = { body: text, lang: data.lang || "", dir: data.dir || "auto", silent: true, requireInteraction: stays, data: { open: data.open } };
	if (data.tag) {
		options.tag = data.tag;
	}
	return self.registration.showNotification(data.title || self.location.hostname, options);
}

function pause(ms) {
	return new Promise(function (done) {
		setTimeout(done, ms);
	});
}

/* The key makes the same press twice one answer. Refused is refused; a network that fails is tried again. */
function post(data, status, tries) {
	return fetch(data.answer, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ status: status, key: data.key + status }),
		credentials: "omit",
		cache: "no-store",
		redirect: "error"
	}).then(function (response) {
		if (response.ok) {
			return true;
		}
		if (response.status < 500 && response.status !== 429) {
			return false;
		}
		throw new Error(String(response.status));
	}).catch(function () {
		return tries > 1 ? pause(2000).then(function () {
			return post(data, status, tries - 1);
		}) : false;
	});
}

function open(path) {
	return self.clients.openWindow(ownPath(path) || "/").catch(function () {
		return null; /* the press is too long ago: the notification leads there */
	});
}

function answer(data, status) {
	return post(data, status, 4).then(function (recorded) {
		if (!recorded) {
			return tell(data, data.words.unsaid || "", true);
		}
		return tell(data, (status === "safe" ? data.words.said_safe : data.words.said_help) || "", false).then(function () {
			return status === "help" ? open(data.open) : null; /* where, who is with you */
		});
	});
}

function keyText(key) {
	return key ? btoa(String.fromCharCode.apply(null, new Uint8Array(key))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") : "";
}

/* The browser changed its subscription by itself: we would write to one that is gone. */
function renew(event) {
	var old = event.oldSubscription;
	if (!old) {
		return Promise.resolve();
	}
	var fresh = event.newSubscription ? Promise.resolve(event.newSubscription) : self.registration.pushManager.subscribe(old.options);
	return fresh.then(function (subscription) {
		return fetch("/push/renew", {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify({ old: old.endpoint, endpoint: subscription.endpoint, point: keyText(subscription.getKey("p256dh")),
				secret: keyText(subscription.getKey("auth")) }),
			credentials: "omit"
		});
	});
}

self.addEventListener("install", function () {
	self.skipWaiting();
});
self.addEventListener("activate", function (event) {
	event.waitUntil(self.clients.claim());
});
self.addEventListener("push", function (event) {
	event.waitUntil(show(readMessage(event)));
});
self.addEventListener("notificationclick", function (event) {
	var data = event.notification.data || {};
	event.notification.close();
	if ((event.action === "safe" || event.action === "help") && ownPath(data.answer)) {
		event.waitUntil(answer(data, event.action));
	} else {
		event.waitUntil(open(data.open));
	}
});
self.addEventListener("pushsubscriptionchange", function (event) {
	event.waitUntil(renew(event));
});
