# Takes the folder out of the SBOM of the crates and adds the Node packages that the playground is made of.
# Arguments: $folder, and $node, the lock file of npm.

def installed: $node[0].packages | to_entries | map(select((.value.dev or .value.optional | not) and .key != ""));
def name: .value.name // (.key | sub("^.*node_modules/"; ""));
def purl: "pkg:npm/\(name | sub("^@"; "%40"))@\(.value.version)";
# Their names, as far as they are installed.
def uses: .value.dependencies // {} | keys | map("node_modules/" + .) as $paths | installed | map(select(.key | IN($paths[])) | purl);

def component: {
    type: "library", "bom-ref": purl, name: name, version: .value.version, scope: "required",
    licenses: (if .value.license then [{expression: .value.license}] else [] end), purl: purl
};

walk(if type == "string" then split($folder) | join("/source") else . end)
| .metadata.component["bom-ref"] as $root
| ({value: $node[0].packages[""]} | uses) as $used
| .components += (installed | map(component))
| .dependencies |= map(if .ref == $root then .dependsOn += $used else . end)
| .dependencies += (installed | map({ref: purl, dependsOn: uses}))
