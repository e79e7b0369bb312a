using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy.Http;

/// <summary>A job that a user pressed for or that support retried, and how it may end.</summary>
public sealed class HttpJob(Guid id, int charged, string directive)
{
    public Guid Id { get; } = id;
    public int Charged { get; } = charged;
    public string Directive { get; } = directive;

    /// <summary>What support gave back for it.</summary>
    public int Refunded { get; set; }

    /// <summary>Deleted or cancelled while it may have been running: it may end either way.</summary>
    public bool IsDisturbed { get; set; }

    /// <summary>How the directive of its prompt makes it end when nobody disturbs it.</summary>
    public string RightEnd => Directive is "[reject]" or "[fail]" or "[garbage]" ? "failed" : "completed";
}

/// <summary>A purchase of an account at pretend Apple.</summary>
public sealed class HttpSale(string id, int credits)
{
    public string Id { get; } = id;
    public int Credits { get; } = credits;
    public bool IsHeard { get; set; }
    public int Percent { get; set; }

    /// <summary>Refunded before anybody heard of it: then it never was credited.</summary>
    public int Kept => IsHeard ? Credits - Credits * Percent / 100 : 0;
}

/// <summary>An account as the model knows it: what it has beside its jobs and purchases, and those.</summary>
public sealed class HttpAccount(Phone phone, int credits)
{
    public Phone Phone { get; } = phone;
    public int Credits { get; set; } = credits;
    public List<HttpJob> Jobs { get; } = [];
    public List<HttpSale> Sales { get; } = [];
    public string? AppleSubject { get; set; }
    public bool IsPremium { get; set; }
    public bool IsDeleted { get; set; }
    public bool IsBanned { get; set; }

    public void Take(HttpAccount guest)
    {
        Credits += guest.Credits;
        Jobs.AddRange(guest.Jobs);
        Sales.AddRange(guest.Sales);
        IsPremium |= guest.IsPremium;
        (guest.Credits, guest.IsPremium) = (0, false);
        guest.Jobs.Clear();
        guest.Sales.Clear();
    }
}
