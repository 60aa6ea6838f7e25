/* Live parts of a page, on top of a page that works without.
 *
 * <main data-live="/alerts/7/events"> opens that event stream; at each event the page's own address is fetched again and the
 * elements marked data-part="NAME" take their new content from it. While someone types in a part, it is left alone. */
(function () {
	"use strict";
	var root = document.querySelector("[data-live]");
	if (!root || !window.EventSource || !window.fetch || !window.DOMParser) {
		return;
	}
	var busy = false, again = false, source, last = 0;
	function swap(text) {
		var fresh = new DOMParser().parseFromString(text, "text/html");
		document.querySelectorAll("[data-part]").forEach(function (part) {
			var found = fresh.querySelector('[data-part="' + part.dataset.part + '"]');
			var active = document.activeElement;
			var typing = part.contains(active) && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName);
			if (!found || typing || part.innerHTML === found.innerHTML) {
				return;
			}
			var id = part.contains(active) ? active.id : "";
			part.replaceChildren.apply(part, Array.from(found.childNodes));
			if (id && document.getElementById(id)) {
				document.getElementById(id).focus();
			}
		});
	}
	function done() {
		busy = false;
		if (again) {
			again = false;
			update();
		}
	}
	function update() {
		if (busy) {
			again = true;
			return;
		}
		busy = true;
		/* At most one fetch in a second, however fast events come. */
		var wait = Math.max(0, last + 1000 - Date.now());
		setTimeout(function () {
			last = Date.now();
			fetch(location.href, { credentials: "same-origin", cache: "no-store" }).then(function (response) {
				if (!response.ok || response.redirected) {
					throw new Error("gone");
				}
				return response.text();
			}).then(swap).then(done, done);
		}, wait);
	}
	function open() {
		source = new EventSource(root.dataset.live);
		source.onmessage = update;
		source.onopen = update;
		source.onerror = function () {
			/* A refusal (too many listeners) ends the stream for good: fall back to asking now and then. */
			if (source.readyState === 2) {
				setTimeout(function () {
					update();
					open();
				}, 15000);
			}
		};
	}
	open();
	document.documentElement.classList.add("live");
}());
