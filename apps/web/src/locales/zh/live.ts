// 实时连接的文字。
export default {
  connecting: { word: "正在连接", sentence: "正在连接实时数据流。" },
  live: { word: "实时", sentence: "实时：所有变化即时显示。" },
  reconnecting: {
    word: "实时已暂停，数据安全",
    sentence: "连接恢复中，实时显示已暂停；数据安全。点击立即重试。",
  },
  polling: {
    word: "每 2 秒查询",
    sentence: "网络途中阻断了实时流，页面改为每 2 秒查询一次。点击重试。",
  },
  offline: {
    word: "无法连接服务器",
    sentence: "无法连接服务器，训练不受影响，仍在继续。点击立即重试。",
  },
  "signed-out": { word: "已退出", sentence: "会话已结束，请重新登录。" },
};
