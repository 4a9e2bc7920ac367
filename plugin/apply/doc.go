// Package apply brings the objects of one namespace, and some that are in none,
// to the state they are rendered in: by server-side apply, wave after wave, with
// an inventory of what was applied, so that what a later run leaves out can be
// removed. Which kinds there are, and where the inventory is, is a Set: App for
// the app, Controller for what brings the ACK S3 controller. Each leaves what the
// other has on record alone.
//
// Everything is decided before anything is written: Applier.Plan asks the API
// server what each apply would do (dryRun=All) and whose the objects are, and
// refuses there. The Plan is then printed, or executed: WriteInventory,
// ApplyWave for each wave, Prune. A plan without changes writes nothing.
//
// Ownership (DESIGN section 4). An object is ours if its managedFields name
// our field manager with operation Apply. What is not ours is never changed
// and never deleted, whatever the inventory says. There is one gentle case: an
// object that is not ours but already holds, field for field, what we would
// apply (somebody ran `oc ostoy-s3 render | kubectl apply`): applying then
// changes nothing in it but adds our name beside theirs, so it is joined. If
// its content differs, or Argo CD, Flux or Helm manage it, it is refused. What those manage
// is refused also where it is ours. Options.ForceOwner overrides that, and what it applies
// is taken over (takeOver): everything that names the engine on it is removed.
//
// Objects that somebody made by hand, as Options.Recognise knows them, are adopted
// with Options.Adopt: they are handed over first (handOver), and then applied.
//
// On objects that are ours:
//   - fields that somebody changed by hand (an Update without subresource:
//     kubectl edit, the web console) are put back;
//   - fields that another applier owns (operation Apply, or a GitOps
//     controller or Helm by name) or that come through a subresource (an
//     autoscaler's scale) are a conflict, and the way out is named;
//   - fields that somebody added beside ours stay as they are.
//
// What OLM writes by design as well, and wipes our name from, is Options.Shared:
// it counts as ours.
//
// It never touches another namespace, never prunes a Bucket, a
// PersistentVolumeClaim or a CustomResourceDefinition, never shows a value of a Secret, and has no opinion
// about whether what it applied becomes ready: that is package wait.
package apply
