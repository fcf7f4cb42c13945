"use strict";
// How one message becomes elements. Text only ever enters the page as text nodes.

function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote" };

function styled(entity) {
  if (entity.type === "text_link" && /^https?:/.test(entity.url)) {
    return h("a", { href: entity.url, rel: "noreferrer", target: "_blank" });
  }
  if (entity.type === "bot_command") return h("span", { class: "command" });
  if (entity.type === "spoiler") return h("span", { class: "spoiler", tabindex: "0" });
  return h(TAGS[entity.type] ?? "span");
}

// Entities count in UTF-16 units, as JavaScript strings do; cut at every border and nest the wider outside.
function rich(text, entities) {
  const cuts = [...new Set([0, text.length, ...entities.flatMap((e) => [e.offset, e.offset + e.length])])]
    .filter((cut) => cut <= text.length).sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => {
    const start = cuts[i];
    const over = entities.filter((e) => e.offset <= start && e.offset + e.length >= end).sort((a, b) => b.length - a.length);
    return over.reduceRight((inner, entity) => {
      const outer = styled(entity);
      outer.append(inner);
      return outer;
    }, document.createTextNode(text.slice(start, end)));
  });
}

function keyboard(bubble, press) {
  if (!bubble.buttons?.length) return null;
  return h("div", { class: "keys" }, bubble.buttons.map((row) => h("div", { class: "row" }, row.map((button) =>
    button.url
      ? h("a", { class: "key", href: button.url, target: "_blank", rel: "noreferrer" }, button.text)
      : h("button", { type: "button", class: `key ${button.style ?? ""}`, "data-data": button.callback_data ?? "",
          onclick: (event) => press(event.currentTarget, bubble, button) }, button.text)))));
}

function attachment(bubble) {
  if (bubble.photo) {
    const { file_id, width, height } = bubble.photo;
    return h("img", { class: "photo", src: `sim/files/${file_id}`, width, height, alt: bubble.text, loading: "lazy" });
  }
  if (!bubble.file) return null;
  const size = `${Math.max(1, Math.round(bubble.file.file_size / 1024))} KB`;
  return h("a", { class: "file", href: `sim/files/${bubble.file.file_id}`, download: bubble.file.file_name },
    icon("file"), h("span", null, h("b", null, bubble.file.file_name), h("small", null, size)));
}

function meter(bubble) {
  const room = bubble.encoding === "GSM-7" ? [160, 153] : [70, 67];
  const limit = bubble.segments === 1 ? room[0] : room[1] * bubble.segments;
  return h("span", { class: "meter", title: bubble.forced_by ? say("forced", bubble.forced_by) : null },
    `${bubble.encoding} · ${say("units", bubble.units, limit)} · ${say("segments", bubble.segments).replace("part(s)", bubble.segments === 1 ? "part" : "parts")}`);
}

function drawBubble(bubble, { press, why }) {
  const mine = bubble.by === "phone";
  const missed = ["undelivered", "failed"].includes(bubble.status);
  const marks = [bubble.edited && say("edited"), bubble.silent && say("silent"), missed && say("notArrived", bubble.error ?? "")].filter(Boolean);
  const meta = h("span", { class: "meta" }, [...marks, clockTime(bubble.at)].join(" · "));
  const asks = why && !mine ? h("button", { type: "button", class: "why", onclick: (event) => why(bubble, event.currentTarget) }, say("why")) : null;
  const body = h("div", { class: "body" }, attachment(bubble), h("p", { class: "text" }, rich(bubble.text, bubble.entities ?? [])),
    h("div", { class: "foot" }, asks, meta));
  return h("li", { class: `message ${mine ? "mine" : "theirs"}${missed ? " missed" : ""}`, "data-id": bubble.id },
    body, keyboard(bubble, press), bubble.reaction ? h("span", { class: "reaction" }, bubble.reaction) : null,
    bubble.encoding && !mine ? meter(bubble) : null);
}
