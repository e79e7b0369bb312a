namespace Reelbase.Server.Platform.Http;

/// <summary>Marks an operation that needs a signed-in user; read by the API document and by the caller matrix in the tests.</summary>
public sealed record RequiresUserMetadata;

/// <summary>Marks an operation whose handler finds out the caller before it reads a body, and has more to say about it than the pipeline.</summary>
public sealed record ResolvesCallerFirstMetadata;

/// <summary>Marks an operation whose errors say something about a person that is for them alone.</summary>
public sealed record PrivateErrorsMetadata;

/// <summary>A query or header parameter that a handler reads by itself.</summary>
public sealed record ParameterMetadata(string Name, string Description, bool IsHeader, bool IsRequired);

/// <summary>An example of a request body.</summary>
public sealed record RequestExampleMetadata(object Example);

/// <summary>An example of the success answer.</summary>
public sealed record ResponseExampleMetadata(object Example);

/// <summary>Says on a route what the API document should say.</summary>
public static class OperationMetadata
{
    public static RouteHandlerBuilder RequiresUser(this RouteHandlerBuilder builder) => builder.WithMetadata(new RequiresUserMetadata());

    /// <summary>Its errors say something about a person that is for them alone: <c>error_log</c> has neither whose they were nor their details.</summary>
    public static RouteHandlerBuilder KeepsErrorsPrivate(this RouteHandlerBuilder builder) => builder.WithMetadata(new PrivateErrorsMetadata());

    public static RouteHandlerBuilder Query(this RouteHandlerBuilder builder, string name, string description, bool required = false) =>
        builder.WithMetadata(new ParameterMetadata(name, description, false, required));

    public static RouteHandlerBuilder Header(this RouteHandlerBuilder builder, string name, string description, bool required = false) =>
        builder.WithMetadata(new ParameterMetadata(name, description, true, required));

    public static RouteHandlerBuilder Examples(this RouteHandlerBuilder builder, object? request, object answer)
    {
        if (request is not null)
        {
            builder.WithMetadata(new RequestExampleMetadata(request));
        }
        return builder.WithMetadata(new ResponseExampleMetadata(answer));
    }

    /// <summary>The error answers that an operation can give, in the one shape of the catalogue.</summary>
    public static RouteHandlerBuilder Fails(this RouteHandlerBuilder builder, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            builder.Produces<Errors.ErrorBody>(status);
        }
        return builder;
    }
}
