using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>Section <c>Supabase</c>: the tables that <c>/rest/v1</c> serves, and its bounds.</summary>
public sealed class RestOptions
{
    /// <summary>Schemas whose tables and views are served, as far as a role is granted them; the first is the default. Empty means public.</summary>
    public string[] Schemas { get; set; } = [];

    /// <summary>INSECURE unless every row of every granted table is meant for everybody: also serve tables without row security and views without security_invoker.</summary>
    public bool ServeWithoutRowSecurity { get; set; }

    /// <summary>Allow count(), sum(), avg(), min() and max() in select.</summary>
    public bool Aggregates { get; set; }

    /// <summary>How long a statement may take, in seconds.</summary>
    [Range(0.05, 60)]
    public double StatementTimeoutSeconds { get; set; } = 5;

    /// <summary>How many requests to tables use the database at the same time, on a pool of their own.</summary>
    [Range(1, 200)]
    public int MaxConnections { get; set; } = 10;

    /// <summary>How many of them one user, or without a user one address, may have at the same time; others of theirs wait.</summary>
    [Range(1, 200)]
    public int RequestsAtOncePerCaller { get; set; } = 4;

    /// <summary>How many of a caller's requests wait to be served; more are 429.</summary>
    [Range(0, 10_000)]
    public int WaitingRequestsPerCaller { get; set; } = 100;

    /// <summary>The most rows of a table or embedded resource in an answer.</summary>
    [Range(1, 100_000)]
    public int MaxRows { get; set; } = 1000;

    /// <summary>How many embedded lists (resources to many) a request may have in all; each multiplies what there is to do.</summary>
    [Range(0, 20)]
    public int MaxEmbeddedLists { get; set; } = 8;

    /// <summary>How many embedded lists may lie inside each other, resources to one between them not counted.</summary>
    [Range(0, 6)]
    public int MaxEmbeddedListDepth { get; set; } = 3;

    /// <summary>The largest body of an insert or update, in bytes.</summary>
    [Range(1024, 8 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The largest answer, in bytes.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxAnswerBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>How old what is known of tables, columns and grants may be before it is checked, in seconds.</summary>
    [Range(0, 3600)]
    public double CatalogCheckSeconds { get; set; } = 2;

    /// <summary>What the embedded lists of a request may weigh together while they are made: each byte of an answer is in at most so many lists.</summary>
    internal long MaxListBytes => MaxAnswerBytes * (MaxEmbeddedListDepth + 1L);

    /// <summary>The exposed schemas, the default one first.</summary>
    public IReadOnlyList<string> Exposed => Schemas.Length == 0 ? ["public"] : Schemas;
}
