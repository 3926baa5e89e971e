// This build has no web console.
