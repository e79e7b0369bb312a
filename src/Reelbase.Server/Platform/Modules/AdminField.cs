namespace Reelbase.Server.Platform.Modules;

/// <summary>A field of an admin request.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Example">An example, which also says its type.</param>
/// <param name="Description">What it is.</param>
/// <param name="IsRequired">Whether it has to be there.</param>
public sealed record AdminField(string Name, object Example, string Description, bool IsRequired = false)
{
    /// <summary>An id of a user, for examples.</summary>
    public const string UserId = "0b9fd0a2-6a55-4d2e-a6c3-5c0d3a2f9b10";

    /// <summary>An id of a job, for examples.</summary>
    public const string JobId = "019a0000-0000-7000-8000-000000000001";

    /// <summary>An id of anything else, for examples.</summary>
    public const string OtherId = "5f0c6f5e-3a55-4c0e-9d0e-2b7a4a3f1c10";

    /// <summary>What a request says of the user that it is about.</summary>
    public const string AboutUser = "Whom it is about";

    /// <summary>What a request says of its job.</summary>
    public const string AboutJob = "Which job";

    /// <summary>What a request says of its reason.</summary>
    public const string AboutReason = "Why; 3 to 500 characters, kept in the audit";

    /// <summary>What a request says of how many rows it asks for.</summary>
    public const string AboutLimit = "1 to 100";

    /// <summary>What a request says of where its page begins.</summary>
    public const string AboutBefore = "The next_before of the page before";

    /// <summary>A reason, for examples.</summary>
    public const string SomeReason = "asked for by the user, ticket 1234";
}
