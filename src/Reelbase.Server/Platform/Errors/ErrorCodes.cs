namespace Reelbase.Server.Platform.Errors;

/// <summary>The catalogue's codes by name; the wire and SQL have the codes.</summary>
public static class ErrorCodes
{
    /// <summary>The request could not be understood.</summary>
    public const string MalformedRequest = "ERR_4000";

    /// <summary>The balance does not pay for it.</summary>
    public const string InsufficientCredits = "ERR_4001";

    /// <summary>No such model, or it is not offered now.</summary>
    public const string ModelNotFound = "ERR_4002";

    /// <summary>The prompt or the settings are not allowed.</summary>
    public const string InvalidSettings = "ERR_4003";

    /// <summary>A limit was reached.</summary>
    public const string RateLimited = "ERR_4004";

    /// <summary>Nobody is signed in.</summary>
    public const string Unauthorized = "ERR_4005";

    /// <summary>The caller may not, or is banned.</summary>
    public const string Forbidden = "ERR_4006";

    /// <summary>There is no such thing, or it is not the caller's.</summary>
    public const string NotFound = "ERR_4007";

    /// <summary>The key is missing or malformed.</summary>
    public const string IdempotencyKeyMissing = "ERR_4008";

    /// <summary>The key was used with another request.</summary>
    public const string IdempotencyKeyReused = "ERR_4009";

    /// <summary>Apple does not know the device.</summary>
    public const string InvalidDevice = "ERR_4010";

    /// <summary>The transaction is not valid, or of an unknown product.</summary>
    public const string InvalidTransaction = "ERR_4011";

    /// <summary>The state does not allow it any more.</summary>
    public const string Conflict = "ERR_4012";

    /// <summary>The user has not agreed to AI providers.</summary>
    public const string ConsentNeeded = "ERR_4013";

    /// <summary>Not available at the declared age.</summary>
    public const string NotAtThisAge = "ERR_4014";

    /// <summary>The provider did not finish in time.</summary>
    public const string ProviderTimeout = "ERR_5001";

    /// <summary>The provider cannot be reached or refuses our account.</summary>
    public const string ProviderUnavailable = "ERR_5002";

    /// <summary>The provider rejected the content.</summary>
    public const string ContentRejected = "ERR_5003";

    /// <summary>The provider refused the input.</summary>
    public const string InputRefused = "ERR_5004";

    /// <summary>The database cannot be reached, or takes no writes.</summary>
    public const string DatabaseUnavailable = "ERR_6001";

    /// <summary>The file store cannot be reached or is full.</summary>
    public const string StorageUnavailable = "ERR_6002";

    /// <summary>A fault of ours.</summary>
    public const string InternalError = "ERR_6003";
}
