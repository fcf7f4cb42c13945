"use strict";
// Which phone is on which pane, what is new, and what does its owner do?

const state = { phones: [], threads: {}, unread: {}, panes: [], commands: {}, hasHost: false, chaos: { planned: [], fired: {} } };
const el = (id) => document.getElementById(id);
const card = (phone) => state.phones.find((c) => c.phone === phone);
const isWide = () => matchMedia("(min-width: 54em)").matches;

async function send(act, fields) {
  const answer = await fetch(`sim/${act}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) announce(say("failed", body.error ?? answer.status), true);
  return body;
}

function announce(text, isLoud) {
  el("live").append(h("p", null, text));
  while (el("live").childElementCount > 20) el("live").firstElementChild.remove();
  if (isLoud && state.panes.length) toast(state.panes[active].phone, text);
}

// Panes

let active = 0;

function choosePanes() {
  const first = (channel) => state.phones.find((c) => c.channel === channel)?.phone;
  const wanted = [first("telegram"), first("sms"), ...state.phones.map((c) => c.phone)];
  const chosen = state.panes.map((pane) => pane.phone).filter(card);
  for (const phone of wanted) if (phone && chosen.length < 2 && !chosen.includes(phone)) chosen.push(phone);
  if (chosen.join() === state.panes.map((pane) => pane.phone).join()) return state.panes.forEach(drawPane);
  el("phones").replaceChildren();
  state.panes = chosen.map(makePane);
  state.panes.forEach(drawPane);
  drawSwitch();
}

function makePane(phone) {
  const pane = { phone, root: h("article", { class: "pane" }) };
  el("phones").append(pane.root);
  return pane;
}

function show(pane, phone) {
  pane.phone = phone;
  pane.seen = null;
  state.unread[phone] = 0;
  drawPane(pane);
  drawPickers();
}

function focusPane(index) {
  active = index;
  state.panes.forEach((pane, i) => pane.root.classList.toggle("active", i === active));
  const pane = state.panes[active];
  if (pane) {
    state.unread[pane.phone] = 0;
    pane.list.scrollTop = pane.list.scrollHeight;
  }
  drawSwitch();
}

function drawSwitch() {
  el("switch").replaceChildren(...state.panes.map((pane, i) => {
    const owner = card(pane.phone);
    return h("button", { type: "button", "aria-pressed": String(i === active), onclick: () => focusPane(i) },
      owner?.name ?? "", badge(i === active ? 0 : state.unread[pane.phone]));
  }));
  state.panes.forEach((pane, i) => pane.root.classList.toggle("active", i === active));
}

const badge = (count) => (count ? h("span", { class: "badge", "aria-label": say("unread", count) }, String(count)) : null);

function option(owner) {
  const count = state.unread[owner.phone];
  return h("option", { value: owner.phone }, `${owner.name}${owner.label ? ` · ${owner.label}` : ""}${count ? `  (${count})` : ""}`);
}

function drawPickers() {
  const shown = state.panes.map((pane) => pane.phone);
  for (const pane of state.panes) {
    const picker = pane.root.querySelector("select");
    if (!picker) continue;
    picker.replaceChildren(...["telegram", "sms"].map((channel) => {
      const owners = state.phones.filter((c) => c.channel === channel);
      return owners.length ? h("optgroup", { label: say(channel) }, owners.map(option)) : null;
    }).filter(Boolean));
    picker.value = pane.phone;
    const others = state.phones.filter((c) => state.unread[c.phone] && !shown.includes(c.phone) && c.channel === card(pane.phone)?.channel);
    pane.root.querySelector(".others").replaceChildren(...others.slice(0, 3).map((owner) =>
      h("button", { type: "button", class: "chip", onclick: () => show(pane, owner.phone) }, owner.name, badge(state.unread[owner.phone]))));
  }
  drawSwitch();
}

// One phone

function drawPane(pane) {
  const owner = card(pane.phone);
  if (!owner) return;
  const picker = h("select", { "aria-label": say("whose"), onchange: (event) => show(pane, event.target.value) });
  pane.list = h("ol", { class: "thread", tabindex: "0", "aria-label": owner.name });
  pane.pin = h("button", { type: "button", class: "pin", hidden: true });
  pane.root.className = `pane ${owner.channel}${state.panes[active] === pane ? " active" : ""}`;
  pane.root.replaceChildren(
    h("div", { class: "owner" }, h("span", { class: "picker" }, picker), h("div", { class: "others" }), paneTools(pane)),
    h("section", { class: "device", "aria-label": owner.name },
      h("div", { class: "screen", lang: owner.lang },
        h("div", { class: "status", "aria-hidden": "true" }, h("span", { class: "now" }), icon("bar")),
        appBar(owner), pane.pin, pane.list,
        h("div", { class: "toasts", role: "status" }), composer(pane, owner))));
  drawThread(pane);
  drawPickers();
  showNow();
}

function paneTools(pane) {
  const canAdd = state.panes.length < 4 && state.phones.length > state.panes.length;
  const add = () => {
    const free = state.phones.find((c) => !state.panes.some((p) => p.phone === c.phone));
    state.panes.push(makePane(free.phone));
    state.panes.forEach(drawPane);
  };
  const remove = () => {
    pane.root.remove();
    state.panes.splice(state.panes.indexOf(pane), 1);
    state.panes.forEach(drawPane);
    focusPane(0);
  };
  const isLast = state.panes.at(-1) === pane;
  return h("div", { class: "pane-tools" },
    isLast && canAdd ? h("button", { type: "button", class: "round", "aria-label": say("add"), title: say("add"), onclick: add }, "+") : null,
    state.panes.length > 2 ? h("button", { type: "button", class: "round", "aria-label": say("remove"), title: say("remove"), onclick: remove }, "×") : null);
}

function appBar(owner) {
  const isTelegram = owner.channel === "telegram";
  const title = isTelegram ? "Reminder" : (state.threads[owner.phone]?.find((b) => b.by !== "phone")?.from ?? "+1 202 555 0100");
  const line = isTelegram ? (owner.blocked ? say("blocked") : say("bot")) : owner.landline ? say("landline") : "";
  return h("div", { class: "appbar" }, h("span", { class: "avatar", "aria-hidden": "true" }, isTelegram ? "R" : "☎"),
    h("span", { class: "title" }, h("b", null, title), h("small", null, line)));
}

function composer(pane, owner) {
  const isTelegram = owner.channel === "telegram";
  if (isTelegram && !owner.started) {
    return h("div", { class: "composer" }, h("button", { type: "button", class: "wide", onclick: () => write(owner, "/start") }, say("start")));
  }
  const input = h("input", { type: "text", "aria-label": say(isTelegram ? "write" : "writeSms"), placeholder: say(isTelegram ? "write" : "writeSms"), autocomplete: "off", lang: owner.lang });
  const submit = (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    write(owner, input.value);
    input.value = "";
  };
  const form = h("form", { class: "line", onsubmit: submit }, isTelegram ? [menu(owner), clip(owner)] : null, input,
    h("button", { class: "round send", "aria-label": say("send") }, icon("send")));
  return h("div", { class: "composer" }, isTelegram ? replyKeys(owner) : digits(owner), form);
}

const digits = (owner) => h("div", { class: "digits", role: "group", "aria-label": say("keys") },
  ["1", "2", "3", "4", "5", "0"].map((digit) => h("button", { type: "button", onclick: () => write(owner, digit) }, digit)));

const replyKeys = (owner) => owner.keyboard && h("div", { class: "reply-keys" }, owner.keyboard.map((row) =>
  h("div", { class: "row" }, row.map((key) => h("button", { type: "button", onclick: () => send("press", { user: owner.user, key: key.text }) }, key.text)))));

function menu(owner) {
  const find = (scope) => Object.entries(state.commands).find(([key]) => key.startsWith(scope))?.[1];
  const commands = find(`chat:${owner.user}:${owner.lang}`) ?? find(`chat:${owner.user}:`) ?? find(`default::${owner.lang}`) ?? find("default::");
  if (!commands?.length) return null;
  const box = h("details", { class: "menu" }, h("summary", { "aria-label": say("menu"), title: say("menu") }, "/"));
  box.append(h("ul", null, commands.map((command) => h("li", null, h("button", { type: "button", onclick: () => { box.open = false; write(owner, `/${command.command}`); } },
    h("b", null, `/${command.command}`), ` ${command.description}`)))));
  return box;
}

function clip(owner) {
  const input = h("input", { type: "file", class: "unseen", tabindex: "-1", "aria-hidden": "true" });
  input.addEventListener("change", async () => {
    const body = new FormData();
    body.append("user", owner.user);
    body.append("file", input.files[0]);
    await fetch("sim/file", { method: "POST", body });
    input.value = "";
  });
  return [h("button", { type: "button", class: "round", "aria-label": say("attach"), title: say("attach"), onclick: () => input.click() }, icon("clip")), input];
}

const write = (owner, text) =>
  owner.channel === "telegram" ? send("write", { user: owner.user, text }) : send("reply", { number: owner.number, body: text });

async function press(key, bubble, button) {
  key.setAttribute("aria-busy", "true");
  await send("press", { user: card(bubble.phone).user, message_id: bubble.message_id, data: button.callback_data });
  setTimeout(() => key.removeAttribute("aria-busy"), 600);
}

// Threads

function drawThread(pane) {
  const thread = state.threads[pane.phone] ?? [];
  pane.list.replaceChildren();
  const seen = pane.seen;
  pane.seen = new Set(thread.map((bubble) => bubble.id));
  let day = "";
  for (const bubble of thread) {
    const its = dayKey(bubble.at);
    if (its !== day) pane.list.append(h("li", { class: "day" }, h("time", { datetime: bubble.at }, longDay(bubble.at))));
    day = its;
    const drawn = drawBubble(bubble, { press, why: state.hasHost ? askWhy : null });
    if (seen && !seen.has(bubble.id)) drawn.classList.add("new");
    pane.list.append(drawn);
  }
  if (!thread.length) pane.list.append(h("li", { class: "empty" }, say(state.hasHost ? "emptyDemo" : "empty")));
  drawPin(pane, thread);
  pane.list.scrollTop = pane.list.scrollHeight;
}

function drawPin(pane, thread) {
  const last = thread.filter((b) => b.pinned).at(-1);
  pane.pin.hidden = !last;
  if (!last) return;
  pane.pin.replaceChildren(icon("pin"), h("span", null, h("b", null, say("pinned")), h("span", { class: "first" }, last.text.split("\n")[0])));
  pane.pin.onclick = () => {
    const target = pane.list.querySelector(`[data-id="${last.id}"]`);
    target?.scrollIntoView({ block: "center" });
    target?.classList.add("lit");
    setTimeout(() => target?.classList.remove("lit"), 1200);
  };
}

function upsert(bubble) {
  const thread = (state.threads[bubble.phone] ??= []);
  const place = thread.findIndex((b) => b.id === bubble.id);
  const before = thread[place];
  if (place < 0) thread.push(bubble);
  else thread[place] = bubble;
  if (thread.length > 400) thread.splice(0, 100);
  const pane = state.panes.find((p) => p.phone === bubble.phone);
  if (place < 0 && bubble.by !== "phone") arrived(bubble, pane);
  if (!pane) return;
  if (before) redraw(pane, bubble);
  else drawSoon(pane);
}

// Messages that come by the dozen are drawn together.
function drawSoon(pane) {
  if (pane.isDue) return;
  pane.isDue = true;
  requestAnimationFrame(() => { pane.isDue = false; drawThread(pane); });
}

// An edited message stays where it is, and so does the reader.
function redraw(pane, bubble) {
  const old = pane.list.querySelector(`[data-id="${bubble.id}"]`);
  const atEnd = pane.list.scrollHeight - pane.list.scrollTop - pane.list.clientHeight < 80;
  const hadFocus = old?.contains(document.activeElement) ? document.activeElement.dataset.data : null;
  const drawn = drawBubble(bubble, { press, why: state.hasHost ? askWhy : null });
  if (bubble.edited) drawn.classList.add("changed");
  old?.replaceWith(drawn);
  if (hadFocus) (drawn.querySelector(`[data-data="${CSS.escape(hadFocus)}"]`) ?? pane.list).focus({ preventScroll: true });
  drawPin(pane, state.threads[pane.phone]);
  if (atEnd) pane.list.scrollTop = pane.list.scrollHeight;
}

function arrived(bubble, pane) {
  const owner = card(bubble.phone);
  announce(say("arrived", owner?.name ?? "", bubble.text));
  const isSeen = pane && (isWide() || state.panes[active] === pane);
  if (!isSeen) {
    state.unread[bubble.phone] = (state.unread[bubble.phone] ?? 0) + 1;
    clearTimeout(arrived.timer);
    arrived.timer = setTimeout(drawPickers, 50);
  }
  if (pane && !bubble.silent && bubble.status !== "undelivered" && bubble.status !== "failed") buzz(pane);
}

function buzz(pane) {
  const device = pane.root.querySelector(".device");
  device.classList.remove("buzz");
  void device.offsetWidth;
  device.classList.add("buzz");
}

function toast(phone, text) {
  const pane = state.panes.find((p) => p.phone === phone);
  const note = h("p", null, text);
  pane?.root.querySelector(".toasts").replaceChildren(note);
  setTimeout(() => note.remove(), 5000);
}

function showNow() {
  const now = state.now ?? new Date().toISOString();
  for (const span of document.querySelectorAll(".status .now")) span.textContent = clockTime(now);
}

// The stream

function listen() {
  const source = new EventSource("sim/events");
  const on = (kind, act) => source.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (!listen.isLost) announce(say("lost"), true);
    listen.isLost = true;
  });
  on("snapshot", (news) => {
    listen.isLost = false;
    Object.assign(state, news);
    choosePanes();
    drawFaults();
    document.body.dataset.ready = "yes";
  });
  on("phone", (owner) => {
    const place = state.phones.findIndex((c) => c.phone === owner.phone);
    if (place < 0) state.phones.push(owner);
    else state.phones[place] = owner;
    const pane = state.panes.find((p) => p.phone === owner.phone);
    if (pane) drawPane(pane);
    else if (state.panes.length < 2) choosePanes();
    else drawPickers();
    drawFaults();
  });
  on("bubble", (bubble) => { upsert(bubble); clockSoon(); });
  on("gone", ({ phone, id }) => {
    state.threads[phone] = (state.threads[phone] ?? []).filter((b) => b.id !== id);
    state.panes.filter((p) => p.phone === phone).forEach(drawThread);
  });
  on("toast", ({ phone, text }) => toast(phone, text));
  on("action", ({ phone }) => {
    const line = state.panes.find((p) => p.phone === phone)?.root.querySelector(".title small");
    if (!line) return;
    line.textContent = say("typing");
    setTimeout(() => { line.textContent = say("bot"); }, 2000);
  });
  on("commands", (commands) => { state.commands = commands; state.panes.forEach(drawPane); });
  on("chaos", (chaos) => { state.chaos = chaos; drawFaults(); });
}
