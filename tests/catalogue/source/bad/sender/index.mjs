// Sends the notes.
export const handler = async () => ({ sent: 0 });
