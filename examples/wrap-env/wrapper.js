// Runs in the process of every node below brood, before the main module does. What is done to that process here, its
// main module finds done: a variable, a patched module, a timer.
module.exports = (wrapper) => {
  process.env.FOO = wrapper.context.data.foo
  wrapper.runMain()
}
