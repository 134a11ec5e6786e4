// Package logging makes the program's logrus logger, and the slog handler by
// which the libraries write into it.
package logging
