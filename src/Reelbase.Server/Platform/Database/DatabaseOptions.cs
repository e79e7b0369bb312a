using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Database;

/// <summary>Section <c>Database</c>: where PostgreSQL is and how much of it a node may use.</summary>
public sealed class DatabaseOptions
{
    /// <summary>The owner's connection (migrations, role passwords). Empty: the server keeps its own private PostgreSQL.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>The API role's connection, when it is not the derived one (a pooler, say).</summary>
    public string? ApiConnectionString { get; set; }

    /// <summary>The worker role's connection, when it is not the derived one.</summary>
    public string? WorkerConnectionString { get; set; }

    /// <summary>The admin role's connection, when it is not the derived one.</summary>
    public string? AdminConnectionString { get; set; }

    /// <summary>A direct connection for listening; poolers in transaction mode swallow notifications.</summary>
    public string? ListenConnectionString { get; set; }

    /// <summary>Bring the database up to date at start. Off: <c>reelbase migrate</c> is run by the operator.</summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>Allow a private PostgreSQL in Production, where an empty new database must never look like success.</summary>
    public bool AllowPrivateInProduction { get; set; }

    /// <summary>Where PostgreSQL's programs are, when they are not in a usual place.</summary>
    public string? BinDirectory { get; set; }

    /// <summary>Extra settings of the private PostgreSQL, name = value.</summary>
    public Dictionary<string, string> PrivateSettings { get; set; } = [];

    /// <summary>Where the private PostgreSQL keeps its log for restoring any moment; better another disk. Empty: it keeps none.</summary>
    public string? WalArchiveDirectory { get; set; }

    /// <summary>Seconds after which a piece of the log is kept though it is not full: what a lost disk may cost.</summary>
    [Range(1, 86_400)]
    public int WalArchiveSeconds { get; set; } = 60;

    /// <summary>Connections a node may hold for each role; 0 is four for each core, at least 10 and at most 40.</summary>
    /// <remarks>Fewer wake fewer backends: with 10 instead of 40 a two-core machine answers a fifth more (bench/README.md).</remarks>
    [Range(0, 500)]
    public int MaxPoolSize { get; set; }

    /// <summary>The pool's size after that rule.</summary>
    public int PoolSize => MaxPoolSize > 0 ? MaxPoolSize : Math.Clamp(Environment.ProcessorCount * 4, 10, 40);

    /// <summary>Seconds until a database call is given up.</summary>
    [Range(1, 600)]
    public int CommandTimeoutSeconds { get; set; } = 15;

    /// <summary>Seconds until opening a connection is given up.</summary>
    [Range(1, 60)]
    public int ConnectTimeoutSeconds { get; set; } = 5;

    /// <summary>Statements a connection keeps prepared; 0 behind a pooler in transaction mode.</summary>
    [Range(0, 500)]
    public int MaxPreparedStatements { get; set; }
}
