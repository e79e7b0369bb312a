namespace Reelbase.Client;

// One type for each code of docs/errors.md, named as the catalogue names it; a test compares the two.

/// <summary><c>ERR_4000</c>: malformed request.</summary>
public sealed class MalformedRequestException : ReelbaseException
{
    internal MalformedRequestException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4001</c>: insufficient credits.</summary>
public sealed class InsufficientCreditsException : ReelbaseException
{
    internal InsufficientCreditsException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4002</c>: model not found or not available.</summary>
public sealed class ModelNotFoundOrNotAvailableException : ReelbaseException
{
    internal ModelNotFoundOrNotAvailableException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4003</c>: invalid prompt or settings.</summary>
public sealed class InvalidPromptOrSettingsException : ReelbaseException
{
    internal InvalidPromptOrSettingsException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4004</c>: rate limit exceeded.</summary>
public sealed class RateLimitExceededException : ReelbaseException
{
    internal RateLimitExceededException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4005</c>: unauthorized.</summary>
public sealed class UnauthorizedException : ReelbaseException
{
    internal UnauthorizedException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4006</c>: forbidden or banned.</summary>
public sealed class ForbiddenOrBannedException : ReelbaseException
{
    internal ForbiddenOrBannedException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4007</c>: not found.</summary>
public sealed class NotFoundException : ReelbaseException
{
    internal NotFoundException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4008</c>: idempotency key missing or malformed.</summary>
public sealed class IdempotencyKeyMissingOrMalformedException : ReelbaseException
{
    internal IdempotencyKeyMissingOrMalformedException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4009</c>: idempotency key reused with another request.</summary>
public sealed class IdempotencyKeyReusedWithAnotherRequestException : ReelbaseException
{
    internal IdempotencyKeyReusedWithAnotherRequestException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4010</c>: invalid device.</summary>
public sealed class InvalidDeviceException : ReelbaseException
{
    internal InvalidDeviceException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4011</c>: invalid transaction or unknown product.</summary>
public sealed class InvalidTransactionOrUnknownProductException : ReelbaseException
{
    internal InvalidTransactionOrUnknownProductException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4012</c>: conflict.</summary>
public sealed class ConflictException : ReelbaseException
{
    internal ConflictException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4013</c>: consent needed before sending to AI providers.</summary>
public sealed class ConsentNeededBeforeSendingToAIProvidersException : ReelbaseException
{
    internal ConsentNeededBeforeSendingToAIProvidersException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_4014</c>: not available at the declared age.</summary>
public sealed class NotAvailableAtTheDeclaredAgeException : ReelbaseException
{
    internal NotAvailableAtTheDeclaredAgeException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_5001</c>: provider timeout.</summary>
public sealed class ProviderTimeoutException : ReelbaseException
{
    internal ProviderTimeoutException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_5002</c>: provider unavailable.</summary>
public sealed class ProviderUnavailableException : ReelbaseException
{
    internal ProviderUnavailableException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_5003</c>: the provider rejected the content.</summary>
public sealed class ProviderRejectedTheContentException : ReelbaseException
{
    internal ProviderRejectedTheContentException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_5004</c>: the provider refused the input.</summary>
public sealed class ProviderRefusedTheInputException : ReelbaseException
{
    internal ProviderRefusedTheInputException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_6001</c>: database unavailable.</summary>
public sealed class DatabaseUnavailableException : ReelbaseException
{
    internal DatabaseUnavailableException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_6002</c>: storage unavailable.</summary>
public sealed class StorageUnavailableException : ReelbaseException
{
    internal StorageUnavailableException(ReelbaseError error)
        : base(error) { }
}

/// <summary><c>ERR_6003</c>: internal error.</summary>
public sealed class InternalErrorException : ReelbaseException
{
    internal InternalErrorException(ReelbaseError error)
        : base(error) { }
}

internal static class CatalogExceptions
{
    /// <summary>The type of a code; the common one for a code that is newer than this client.</summary>
    public static ReelbaseException Create(ReelbaseError error) =>
        error.Code switch
        {
            "ERR_4000" => new MalformedRequestException(error),
            "ERR_4001" => new InsufficientCreditsException(error),
            "ERR_4002" => new ModelNotFoundOrNotAvailableException(error),
            "ERR_4003" => new InvalidPromptOrSettingsException(error),
            "ERR_4004" => new RateLimitExceededException(error),
            "ERR_4005" => new UnauthorizedException(error),
            "ERR_4006" => new ForbiddenOrBannedException(error),
            "ERR_4007" => new NotFoundException(error),
            "ERR_4008" => new IdempotencyKeyMissingOrMalformedException(error),
            "ERR_4009" => new IdempotencyKeyReusedWithAnotherRequestException(error),
            "ERR_4010" => new InvalidDeviceException(error),
            "ERR_4011" => new InvalidTransactionOrUnknownProductException(error),
            "ERR_4012" => new ConflictException(error),
            "ERR_4013" => new ConsentNeededBeforeSendingToAIProvidersException(error),
            "ERR_4014" => new NotAvailableAtTheDeclaredAgeException(error),
            "ERR_5001" => new ProviderTimeoutException(error),
            "ERR_5002" => new ProviderUnavailableException(error),
            "ERR_5003" => new ProviderRejectedTheContentException(error),
            "ERR_5004" => new ProviderRefusedTheInputException(error),
            "ERR_6001" => new DatabaseUnavailableException(error),
            "ERR_6002" => new StorageUnavailableException(error),
            "ERR_6003" => new InternalErrorException(error),
            _ => new ReelbaseException(error),
        };
}
