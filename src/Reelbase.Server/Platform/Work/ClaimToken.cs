namespace Reelbase.Server.Platform.Work;

/// <summary>A row that a work loop has leased.</summary>
public interface IClaimed
{
    /// <summary>The claim that holds the row; the work loop sets it, and every record of a result passes it on.</summary>
    string ClaimToken { get; set; }
}

/// <summary>
/// Names a claim on the rows it leases (their <c>leased_by</c>). Every claim has one of its own: a name of the process would let what the
/// process claimed earlier pass for what it claims now, after a lease ran out in between.
/// </summary>
public static class ClaimToken
{
    /// <summary>A token that nobody has had before; its beginning says who it is to a human reader.</summary>
    public static string New() => $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():N}";
}
