using System.CommandLine;

namespace Reelbase.Server.Cli;

/// <summary>What an operator does from the command line: <c>admin VERB</c>. Data is reached as <c>reelbase_admin</c>, never as the owner.</summary>
internal static class AdminCommands
{
    /// <summary>The verb with all of its own.</summary>
    public static Command New()
    {
        AdminVerbs verbs = new();
        Command admin = new("admin", "What an operator does. Each verb that works on the database takes --database URL too.") { verbs.Database };
        foreach (
            var verb in (Command[])
                [
                    .. MaintenanceCommands.New(verbs),
                    .. RecoveryCommands.New(verbs),
                    .. BackupCommands.New(),
                    .. AdminUserCommands.New(verbs),
                    PromoCommands.New(verbs),
                    ModelCommands.New(verbs),
                    .. KeyCommands.New(),
                ]
        )
        {
            admin.Add(verb);
        }
        return admin;
    }
}
