/* Notifications in this browser, on top of a page that works without: a block marked data-push="PUBLIC KEY" is shown where the browser can do it,
 * its button asks the browser for a subscription and fills the hidden fields of the form around it. With data-push-send that form is sent at once. */
(function () {
	"use strict";
	var block = document.querySelector("[data-push]");
	if (!block || !window.isSecureContext || !navigator.serviceWorker) {
		return;
	}
	function part(name) {
		return block.querySelector("[data-push-" + name + "]");
	}
	/* Safari on iPhones gives web pages no notifications, but gives them to pages on the home screen. */
	if (!window.PushManager || !window.Notification) {
		if (/iPhone|iPad/.test(navigator.userAgent) && !navigator.standalone) {
			block.hidden = false;
			part("ask").hidden = true;
			part("home").hidden = false;
		}
		return;
	}
	function bytes(text) {
		var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
		return Uint8Array.from(raw, function (letter) {
			return letter.charCodeAt(0);
		});
	}
	function text(key) {
		return btoa(String.fromCharCode.apply(null, new Uint8Array(key))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
	}
	function say(name) {
		["failed", "denied", "done"].forEach(function (one) {
			part(one).hidden = one !== name;
		});
	}
	function fill(subscription) {
		block.querySelector("[name=push_endpoint]").value = subscription.endpoint;
		block.querySelector("[name=push_point]").value = text(subscription.getKey("p256dh"));
		block.querySelector("[name=push_secret]").value = text(subscription.getKey("auth"));
	}
	/* A subscription made with another key would never reach us: it is given up for a new one. */
	function subscribe(registration) {
		var options = { userVisibleOnly: true, applicationServerKey: bytes(block.dataset.push) };
		return registration.pushManager.getSubscription().then(function (old) {
			var key = old && old.options && old.options.applicationServerKey;
			if (old && (!key || text(key) === block.dataset.push)) {
				return old;
			}
			return (old ? old.unsubscribe() : Promise.resolve()).then(function () {
				return registration.pushManager.subscribe(options);
			});
		});
	}
	function known(subscription) {
		var ends = (block.dataset.pushKnown || "").split(" ");
		return !!subscription && ends.indexOf(subscription.endpoint.slice(-16)) >= 0;
	}
	part("button").addEventListener("click", function () {
		var button = part("button");
		button.disabled = true;
		Notification.requestPermission().then(function (permission) {
			if (permission !== "granted") {
				say("denied");
				return null;
			}
			return navigator.serviceWorker.register("/push-worker.js", { scope: "/" }).then(function () {
				return navigator.serviceWorker.ready;
			}).then(subscribe).then(function (subscription) {
				fill(subscription);
				say("done");
				part("ask").hidden = true;
				if (block.dataset.pushSend !== undefined) {
					block.closest("form").submit();
				}
			});
		}).catch(function () {
			say("failed");
		}).then(function () {
			button.disabled = false;
		});
	});
	navigator.serviceWorker.getRegistration("/").then(function (registration) {
		return registration ? registration.pushManager.getSubscription() : null;
	}).catch(function () {
		return null;
	}).then(function (subscription) {
		block.hidden = false;
		if (known(subscription)) {
			say("done");
			part("ask").hidden = true;
		} else if (Notification.permission === "denied") {
			say("denied");
		}
	});
}());
