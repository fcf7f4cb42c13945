"use strict";
// What does the demo's own desk offer: its clock, its reasons, and things to break? Without a host only the last.

const STEPS = [["next", "nextEvent"], ["+1h", "plusHour"], ["18:00", "to18"], ["+1d", "plusDay"]];
const SPEEDS = [[0, () => say("pause")], [1, () => "×1"], [60, () => "×60"]];
let clockTimer = 0;

function drawClock(clock) {
  state.now = clock.now;
  el("clock-time").textContent = clockTime(clock.now);
  el("clock-day").textContent = shortDay(clock.now);
  el("clock-next").textContent = clock.next ? say("next", nextAt(clock)) : say("nothing");
  for (const button of el("speeds").children) button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === clock.speed));
  showNow();
  clearTimeout(clockTimer);
  if (clock.speed) clockTimer = setTimeout(readClock, 1000);
}

const nextAt = ({ now, next }) => (dayKey(now) === dayKey(next) ? "" : `${shortDay(next)} `) + clockTime(next);

async function readClock() {
  const answer = await fetch("/demo/clock").catch(() => null);
  state.hasHost = Boolean(answer?.ok);
  el("clock").hidden = !state.hasHost;
  if (state.hasHost) drawClock(await answer.json());
}

// A page that is already moving its clock hears of arrivals by the dozen; one look after them is enough.
function clockSoon() {
  if (!state.hasHost || clockSoon.timer) return;
  clockSoon.timer = setTimeout(() => { clockSoon.timer = 0; readClock(); }, 400);
}

async function moveClock(wish) {
  const clock = el("clock");
  clock.setAttribute("aria-busy", "true");
  el("clock-next").textContent = say("busy");
  for (const button of el("steps").children) button.disabled = true;
  const answer = await fetch("/demo/clock", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish) }).catch(() => null);
  for (const button of el("steps").children) button.disabled = false;
  clock.removeAttribute("aria-busy");
  if (answer?.ok) drawClock(await answer.json());
  else announce(say("failed", answer?.status ?? ""), true);
}

async function askWhy(bubble, button) {
  const answer = await fetch(`/demo/why?id=${encodeURIComponent(bubble.id)}`).catch(() => null);
  if (!answer?.ok) return button.remove();
  const reason = await answer.json();
  el("why-title").textContent = reason.title ?? say("why");
  el("why-lines").replaceChildren(...reason.lines.map((line) => h("li", null, line)));
  el("why").showModal();
}

function drawFaults() {
  const shown = state.panes.map((pane) => card(pane.phone)).find((owner) => owner?.channel === "telegram");
  const trouble = (word, fields, ...values) => h("button", { type: "button", onclick: () => send("chaos", fields) }, say(word, ...values));
  el("faults").replaceChildren(
    trouble("flood", { channel: "telegram", kind: "flood", retry_after: 30 }),
    trouble("undeliver", { channel: "sms", kind: "undeliver", status: "undelivered", code: 30003 }),
    trouble("lose", { channel: "sms", kind: "lose", how: "drop" }),
    ...(shown ? [h("button", { type: "button", onclick: () => send("block", { user: shown.user, on: !shown.blocked }) },
      say(shown.blocked ? "unblock" : "block", shown.name))] : []),
    trouble("clear", { clear: true }));
  const count = Object.values(state.chaos.fired).reduce((a, b) => a + b, 0);
  const ahead = state.chaos.planned.map((fault) => say(fault.kind)).join(", ");
  el("planned").textContent = [ahead && say("planned", ahead), count && say("fired", count)].filter(Boolean).join(" · ") || say("calm");
}

function label() {
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
  const other = LANG === "zh" ? "en" : "zh";
  const link = el("language");
  Object.assign(link, { textContent: say("language"), href: `?lang=${other}`, lang: other === "zh" ? "zh-CN" : "en", hreflang: other });
  document.title = `reminder · ${say("tagline")}`;
  el("steps").append(...STEPS.map(([step, word]) => h("button", { type: "button", class: step === "next" ? "main" : null, "data-step": step, onclick: () => moveClock({ step }) }, say(word))));
  el("speeds").append(...SPEEDS.map(([speed, text]) => h("button", { type: "button", "data-speed": speed, "aria-pressed": "false", onclick: () => moveClock({ speed }) }, text())));
  document.addEventListener("click", (event) => {
    for (const box of document.querySelectorAll("details[open]")) if (!box.contains(event.target)) box.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const box of document.querySelectorAll("details[open]")) box.open = false;
  });
}

label();
readClock().then(listen);
setInterval(() => { if (!state.hasHost) showNow(); }, 10000);
