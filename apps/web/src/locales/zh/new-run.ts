// 新建训练表单的文字。
export default { title: "新建训练" };
