"use strict";
// Every sentence of the page, in both languages; keys must be the same in both.
const WORDS = {
  zh: {
    tagline: "两部手机，一只钟",
    clock: "沙盘时钟", speed: "快慢", nextEvent: "下一件事", plusHour: "+1 小时", to18: "到 18:00", plusDay: "+1 天",
    pause: "暂停", next: "接着 {0}", nothing: "后面没有安排", busy: "正在往前走……",
    break: "捣点乱", breakHint: "下一次就会发生，看看事情会不会丢、会不会重。",
    flood: "Telegram 说：慢一点", undeliver: "下一条短信送不到", lose: "短信到了，回执丢了", block: "{0}：拉黑机器人",
    unblock: "{0}：重新打开机器人", clear: "都算了", planned: "等着发生：{0}", fired: "已发生 {0} 次", calm: "一切正常。",
    language: "English", footer: "事事有回音。这里的人、号码和两家通信服务都是假的，只在这台电脑上。", ledger: "手机收到的全部消息",
    phones: "手机", whose: "看谁的手机", telegram: "Telegram · 干部", sms: "短信 · 群众", add: "再添一部手机", remove: "收起这部手机",
    empty: "还没有消息", emptyDemo: "还没有消息，按“下一件事”试试", write: "写消息", writeSms: "回短信", send: "发送",
    attach: "发送文件", menu: "命令菜单", start: "开始", edited: "已修改", pinned: "置顶", silent: "静音",
    why: "为什么？", close: "关闭", bot: "机器人", typing: "正在输入……", blocked: "已拉黑机器人",
    segments: "{0} 条", units: "{0}/{1} 字", forced: "“{0}”使整条按 UCS-2 计", notArrived: "没有送到（{0}）",
    arrived: "{0} 收到：{1}", unread: "{0} 条新消息", keys: "快捷数字",
    lost: "连接断了，正在重连……", failed: "没有成功：{0}", landline: "座机",
  },
  en: {
    tagline: "Two phones, one clock",
    clock: "Sandbox clock", speed: "Speed", nextEvent: "Next event", plusHour: "+1 h", to18: "To 18:00", plusDay: "+1 day",
    pause: "Pause", next: "next {0}", nothing: "nothing ahead", busy: "moving on…",
    break: "Break things", breakHint: "It strikes the very next time. See whether anything gets lost or doubled.",
    flood: "Telegram says: slow down", undeliver: "Next text is not delivered", lose: "Text arrives, its answer is lost", block: "{0}: block the bot",
    unblock: "{0}: unblock the bot", clear: "Call it all off", planned: "about to happen: {0}", fired: "happened {0}×", calm: "All is well.",
    language: "中文", footer: "Every matter gets an answer. People, numbers and both message services here are made up and live on this computer only.", ledger: "Everything the phones received",
    phones: "Phones", whose: "Whose phone", telegram: "Telegram · staff", sms: "Text messages · residents", add: "Add a phone", remove: "Put this phone away",
    empty: "No messages yet", emptyDemo: "No messages yet. Press “Next event”.", write: "Message", writeSms: "Text message", send: "Send",
    attach: "Send a file", menu: "Commands", start: "Start", edited: "edited", pinned: "Pinned", silent: "silent",
    why: "why?", close: "Close", bot: "bot", typing: "typing…", blocked: "has blocked the bot",
    segments: "{0} part(s)", units: "{0}/{1}", forced: "“{0}” makes it UCS-2", notArrived: "not delivered ({0})",
    arrived: "{0} received: {1}", unread: "{0} new", keys: "Quick digits",
    lost: "Connection lost, trying again…", failed: "That did not work: {0}", landline: "landline",
  },
};
const LANG = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const ZONE = document.documentElement.dataset.zone;
const say = (key, ...values) => values.reduce((text, value, i) => text.replace(`{${i}}`, value), WORDS[LANG][key] ?? key);

function formatter(options) {
  const format = new Intl.DateTimeFormat(LANG === "zh" ? "zh-CN" : "en-GB", { timeZone: ZONE, ...options });
  return (iso) => format.format(new Date(iso));
}
const clockTime = formatter({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const longDay = formatter({ weekday: "short", day: "numeric", month: "long" });
const shortDay = formatter({ weekday: "short", day: "numeric", month: "short" });
const dayKey = formatter({ year: "numeric", month: "2-digit", day: "2-digit" });
