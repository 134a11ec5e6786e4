// Package usercode calls the application's code so that what it does harms nobody
// else: it may panic, and it may end its goroutine (runtime.Goexit, as the FailNow
// of a test does).
package usercode
