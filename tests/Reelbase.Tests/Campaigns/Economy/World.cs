using System.Security.Cryptography;
using System.Text;

namespace Reelbase.Tests.Campaigns.Economy;

/// <summary>A user as the model knows them.</summary>
public sealed class Person(string label)
{
    public string Label { get; } = label;
    public Guid Id { get; set; } = Guid.NewGuid();
    public Guid Session { get; set; } = Guid.NewGuid();
    public bool IsGuest { get; set; } = true;
    public string? AppleSub { get; set; }
    public string DeviceId { get; set; } = Guid.NewGuid().ToString();

    /// <summary>The physical phone, whose two bits Apple keeps.</summary>
    public string? Phone { get; set; }
    public int Balance { get; set; }
    public int Total { get; set; }

    /// <summary>Premium by an admin's hand, or since before the upgrade.</summary>
    public bool IsPremiumByHand { get; set; }
    public bool IsBanned { get; set; }
    public bool IsDeleted { get; set; }
    public bool HasSession { get; set; } = true;
    public bool GrantClaimed { get; set; }
    public Person? MergedInto { get; set; }

    /// <summary>The tier that the row of a merged-away or deleted user keeps.</summary>
    public string? FrozenTier { get; set; }
    public Person Account => MergedInto ?? this;
}

/// <summary>One try to have a job made by its provider.</summary>
public sealed class Submission(long id, int attempt, string webhookToken)
{
    public string WebhookToken { get; } = webhookToken;

    /// <summary>Its provider has said no, whoever reported it.</summary>
    public bool IsAnswered { get; set; }
    public long Id { get; } = id;
    public int Attempt { get; } = attempt;
    public string ProviderJobId { get; } = "request-" + Guid.NewGuid().ToString("N")[..12];
}

/// <summary>A job as the model knows it, and what was last seen of its work.</summary>
public sealed class Job(string label, Person owner, int charged)
{
    public string Label { get; } = label;
    public Guid Id { get; set; }
    public Person Owner { get; set; } = owner;

    /// <summary>What its user paid; nothing for a retry, which we pay.</summary>
    public int Charged { get; set; } = charged;
    public int Returned { get; set; }
    public int Rest => Charged - Returned;

    /// <summary>completed, failed, or null while it has not ended.</summary>
    public string? End { get; set; }
    public bool IsDeleted { get; set; }

    /// <summary>Support has asked for its end.</summary>
    public bool IsCancelled { get; set; }
    public bool IsFreeRetry { get; set; }

    /// <summary>The failed job that this one is a retry of, or of whose retry.</summary>
    public Job? RetryOf { get; set; }
    public Job Original => RetryOf?.Original ?? this;

    /// <summary>Imported without a charge in its name: its ledger rows say nothing.</summary>
    public bool IsImported { get; set; }
    public bool IsOld { get; set; }
    public SortedDictionary<int, Submission> Submissions { get; } = [];

    // Seen.
    public string Stage { get; set; } = "queued";
    public int Attempt { get; set; }
    public string LeasedBy { get; set; } = "";
    public bool HasLiveLease { get; set; }
    public int LedgerSum { get; set; }
}

/// <summary>A claim call of a worker and the token that is only its own.</summary>
public sealed class Claim(string label, string token)
{
    public string Label { get; } = label;
    public string Token { get; } = token;
}

/// <summary>A purchase at Apple, and what we have been made to know of it.</summary>
public sealed class Sale(string label, string transactionId, string product, int quantity, Person? buyer, Guid? token)
{
    public string Label { get; } = label;
    public string TransactionId { get; } = transactionId;
    public string Product { get; } = product;
    public int Quantity { get; } = quantity;
    public Person? Buyer { get; } = buyer;
    public Guid? Token { get; } = token;

    /// <summary>What Apple has signed of it, oldest first: thousandths of a percent that are refunded.</summary>
    public List<int> Words { get; } = [0];

    // Ours.
    public bool IsKnown { get; set; }
    public int Latest { get; set; } = -1;
    public Person? Owner { get; set; }
    public int Credits { get; set; }
    public bool IsCredited { get; set; }
    public bool IsPremium { get; set; }
    public bool IsImported { get; set; }
    public int TakenBack { get; set; }
    public int Revoked => Latest < 0 ? 0 : Words[Latest];
}

/// <summary>A stored press: what its key stands for.</summary>
public sealed record Press(string Body, Job Job, int Seconds, string Prompt);

/// <summary>The whole economy of one history.</summary>
public sealed class World
{
    private Guid[] _userIds = [];
    private string[] _transactionIds = [];

    /// <summary>Makes names of this history its own.</summary>
    public string Prefix { get; } = Guid.NewGuid().ToString("N")[..10];
    public Dictionary<string, Person> People { get; } = [];
    public Dictionary<string, Job> Jobs { get; } = [];
    public Dictionary<string, Claim> Claims { get; } = [];
    public Dictionary<string, Sale> Sales { get; } = [];
    public Dictionary<string, GrantTurn> Turns { get; } = [];

    /// <summary>Whose turn it is as far as anybody may know, and whether somebody holds it.</summary>
    public GrantTurn? TurnHolder { get; set; }
    public bool IsGrantTurnTaken { get; set; }

    /// <summary>The physical phone whose token a grant was asked with, and whose it was when it was last seen.</summary>
    public Dictionary<Guid, string> Phones { get; } = [];
    public Dictionary<Guid, Guid> GrantUsers { get; } = [];

    /// <summary>Phones whose first bit Apple has set.</summary>
    public HashSet<string> MarkedPhones { get; } = [];

    /// <summary>Credits given for each phone.</summary>
    public Dictionary<string, int> GrantsOfPhones { get; } = [];

    /// <summary>Products that exist by now, and those that Apple sells already and we do not know.</summary>
    public Dictionary<string, (int Credits, bool IsPremium)> Products { get; } =
        new() { ["com.rendioai.credits.starter.25"] = (25, false), ["premium.100"] = (100, true) };
    public Dictionary<(Guid Account, string Key), Press> Presses { get; } = [];
    public Dictionary<string, (string Request, string Response)> AdminResponses { get; } = [];

    /// <summary>Transaction ids that the operator has used.</summary>
    public HashSet<string> Transactions { get; } = [];
    public Dictionary<Guid, int> LedgerSums { get; } = [];
    public Dictionary<Guid, int> LastBalances { get; } = [];
    public long LastSeq { get; set; }
    public int Steps { get; set; }

    public Guid[] UserIds => _userIds.Length == People.Count ? _userIds : _userIds = [.. People.Values.Select(person => person.Id)];
    public string[] TransactionIds =>
        _transactionIds.Length == Sales.Count ? _transactionIds : _transactionIds = [.. Sales.Values.Select(sale => sale.TransactionId)];

    /// <summary>The id that a name stands for in this history.</summary>
    public static Guid IdOf(string name) => new(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16));

    public Person? Find(Guid id) => People.Values.FirstOrDefault(person => person.Id == id);

    public Person? PersonOfGrant(Guid grant) => GrantUsers.TryGetValue(grant, out var user) ? Find(user) : null;

    public void Forget() => (_userIds, _transactionIds) = ([], []);

    /// <summary>The tier follows from purchases that are not refunded and from what admins granted.</summary>
    public string TierOf(Person person) =>
        person.FrozenTier
        ?? (
            person.IsPremiumByHand
            || Sales.Values.Any(sale =>
                sale.IsCredited
                && sale.Owner?.Account == person
                && sale.Revoked < 100_000
                && Products.TryGetValue(sale.Product, out var product)
                && product.IsPremium
            )
                ? "premium"
                : "free"
        );

    /// <summary>Products that are not in the seeds are of one history only.</summary>
    public string ProductId(string product) => product is "com.rendioai.credits.starter.25" or "premium.100" ? product : $"{product}.{Prefix}";

    /// <summary>Whose a purchase is: once credited it never moves; before that it belongs to the first who is alive of who has it, whom the app named, and who claims it.</summary>
    public Person? OwnerOf(Sale sale, Person? claimer, bool isTokenHeard = true)
    {
        if (sale.IsCredited)
        {
            return sale.Owner!.Account;
        }
        var named = isTokenHeard && sale.Token is { } token ? Find(token) : null;
        return new[] { sale.Owner, named, claimer }.Select(person => person?.Account).FirstOrDefault(account => account is { IsDeleted: false });
    }

    /// <summary>Credited once, and of that taken back what Apple's latest word says is refunded.</summary>
    public void Settle(Sale sale)
    {
        if (!sale.IsCredited)
        {
            if (sale.Owner is not { IsDeleted: false } || sale.Revoked == 100_000 || !Products.TryGetValue(sale.Product, out var product))
            {
                return;
            }
            sale.IsCredited = true;
            sale.IsPremium = product.IsPremium;
            sale.Credits = product.Credits * sale.Quantity;
            sale.Owner.Balance += sale.Credits;
            sale.Owner.Total += sale.Credits;
        }
        var target = (int)((long)sale.Credits * sale.Revoked / 100_000);
        sale.Owner!.Account.Balance -= target - sale.TakenBack;
        sale.TakenBack = target;
    }

    /// <summary>A job ends without a video: all that it still holds comes back.</summary>
    public static void Fail(Job job)
    {
        job.Owner.Account.Balance += job.Rest;
        job.Returned = job.Charged;
        job.End = "failed";
    }
}

/// <summary>A turn to decide a grant, as the process that took it remembers it.</summary>
public sealed class GrantTurn(string label, string token)
{
    public string Label { get; } = label;
    public string Token { get; } = token;
    public Guid GrantId { get; set; }
    public Person? Person { get; set; }
    public string Stage { get; set; } = "";

    /// <summary>The bit as Apple said it when this process asked.</summary>
    public bool? Heard { get; set; }
}
