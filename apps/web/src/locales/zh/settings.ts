// 设置的文字。
export default {
  title: "设置",
  pages: { account: "账号", people: "人员", tokens: "访问令牌", system: "系统", audit: "审计日志" },
};
