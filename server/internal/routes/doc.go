// Package routes lays out the program's URLs.
package routes
