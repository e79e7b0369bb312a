namespace Reelbase.Server.Platform.Database;

/// <summary>Looks for a private PostgreSQL without making or starting anything.</summary>
public sealed partial class PrivateCluster
{
    /// <summary>Whether there is one in a directory, running or not.</summary>
    public static bool Exists(string directory) => FindHome(directory) is not null;

    /// <summary>The superuser's connection string to one that runs; null when none does.</summary>
    public static async Task<string?> FindRunningAsync(string directory, CancellationToken cancellationToken)
    {
        if (FindHome(directory) is not { } home)
        {
            return null;
        }
        var cluster = new PrivateCluster(home, "", [], new Dictionary<string, string>());
        return cluster.ReadPidFile() is (var pid, var port) && WhatIs(pid) == Found.Postgres && await cluster.AcceptsAsync(port, cancellationToken)
            ? cluster.ConnectionString
            : null;
    }

    /// <summary>Where it lies: for root's it may be elsewhere, since PostgreSQL's own account has to reach it.</summary>
    private static string? FindHome(string directory) =>
        new[] { HomeOf(directory, []), HomeOf(directory, ["as another"]) }.FirstOrDefault(home => File.Exists(Path.Combine(home, "password")));
}
