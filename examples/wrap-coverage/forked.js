const answer = (forked) => {
  if (!forked) {
    return 'not a child'
  }
  return 'forked'
}

process.send(answer(process.connected), () => process.disconnect())
