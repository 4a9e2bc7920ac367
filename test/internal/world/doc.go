// Package world takes stock of a namespace: every object in it, its role, its
// bucket and what is in that, as texts that can be compared. It is how tests
// tell that nothing was touched, that nothing is left, or that two runs came to
// the same end. It only looks; NewNamespace alone makes something.
package world
