// Bulk actions: a preview, a reason, and a job whose progress can be seen.
export async function run() {}
