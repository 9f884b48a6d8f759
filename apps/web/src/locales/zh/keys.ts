// 快捷键帮助的文字。
export default {
  everywhere: "全局",
  go: "前往",
  list: "列表中",
  palette: "命令面板",
  help: "本帮助",
  rail: "收起或展开侧栏",
  newTraining: "新建训练",
  filter: "筛选",
  down: "下一行",
  up: "上一行",
  select: "选择该行",
  compare: "对比所选训练",
  open: "打开该行",
  clear: "清除选择",
};
