// Package await waits in tests that run in real time: [Until] for a condition,
// [Context] for whatever takes a context.
//
//	await.Until(t, "all are gone", func() bool { return h.Len() == 0 })
//	_, msg, err := conn.Read(await.Context(t))
//
// Limits: not for bubbles of testing/synctest, whose clock does the waiting.
package await
