using Reelbase.Server;

// reelbase migrate | admin ... | import ... | version | doctor | (nothing: serve)
return args switch
{
    ["migrate", .. var rest] => await Commands.MigrateAsync(rest),
    ["admin", .. var rest] => await AdminCommands.RunAsync(rest),
    ["import", .. var rest] => await ImportCommands.RunAsync(rest),
    ["version" or "--version", .. var rest] => await VersionCommand.RunAsync(rest),
    ["doctor", .. var rest] => await Reelbase.Server.Doctor.DoctorCommand.RunAsync(rest),
    ["--help" or "-h" or "help", ..] => Commands.Help(),
    [var verb, ..] when !verb.StartsWith('-') && !verb.Contains('=', StringComparison.Ordinal) => Commands.RefuseVerb(verb),
    _ => await Commands.ServeAsync(args),
};
