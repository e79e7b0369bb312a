namespace Reelbase.Server.Platform.Modules;

/// <summary>
/// One thing that an admin can do or see, contributed by a feature's module. The API and the console both come to it through its SQL function, which checks
/// first whether the caller is an admin.
/// </summary>
/// <param name="Name">Its path and its name in the API document.</param>
/// <param name="Function">The SQL function; takes the request as JSON and answers JSON.</param>
/// <param name="Summary">What it does, for the document.</param>
/// <param name="Fields">What a request may carry: of the query for a read, of the body for a change.</param>
public abstract record AdminOperation(string Name, string Function, string Summary, IReadOnlyList<AdminField> Fields)
{
    /// <summary>A change; reads are GET requests.</summary>
    public bool IsChange { get; init; }

    /// <summary>A read whose request travels in a body: it names people, and addresses end up in histories and in the logs of proxies.</summary>
    public bool IsAskedByBody { get; init; }

    /// <summary>Whether it is a POST.</summary>
    public bool IsPost => IsChange || IsAskedByBody;

    /// <summary>The operation that takes the same by body; null when nothing in its query names a person. A query that does so goes in the next release.</summary>
    public string? ByBody { get; init; }

    /// <summary>A change that has to carry an Idempotency-Key; other changes may carry one.</summary>
    public bool NeedsKey { get; init; }

    /// <summary>The arguments of a function that takes the key itself: $1 is the key, $2 the request, $3 what its <see cref="Http.OperationRules"/> say. Null: it takes the request alone.</summary>
    public string? Arguments { get; init; }

    /// <summary>Whether its answer may be that another admin has to approve it first (202).</summary>
    public bool MayPend { get; init; }

    /// <summary>The record of its request.</summary>
    public abstract Type Request { get; }

    /// <summary>The record of its answer.</summary>
    public abstract Type Response { get; }

    /// <summary>An example of the answer.</summary>
    public abstract object Example { get; }

    /// <summary>A read; its function has its name.</summary>
    public static AdminOperation<TRequest, TResponse> QueryOf<TRequest, TResponse>(string name, string summary, TRequest request, TResponse answer)
        where TRequest : class
        where TResponse : class => new(name, FunctionOf(name), summary, request, answer);

    /// <summary>A change; its function has its name.</summary>
    public static AdminOperation<TRequest, TResponse> ChangeOf<TRequest, TResponse>(string name, string summary, TRequest request, TResponse answer)
        where TRequest : class
        where TResponse : class => new(name, FunctionOf(name), summary, request, answer) { IsChange = true };

    private static string FunctionOf(string name) => name.Replace('-', '_');
}
